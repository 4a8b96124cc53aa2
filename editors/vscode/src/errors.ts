// What may go wrong between a question and its answer, and is nobody's fault.
import { LSPErrorCodes, ResponseError } from 'vscode-languageclient/node';

/** The text changed or the question was taken back; a newer one is under way, or news will come. */
export function isOutdated(error: unknown): boolean {
  return (
    error instanceof ResponseError &&
    (error.code === LSPErrorCodes.ContentModified ||
      error.code === LSPErrorCodes.RequestCancelled ||
      error.code === LSPErrorCodes.ServerCancelled)
  );
}
