// Errors that are part of normal work.
import { LSPErrorCodes, ResponseError } from 'vscode-languageclient/node';

/** An error as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The text changed, or the request was cancelled: a newer request follows, or a notification. */
export function isOutdated(error: unknown): boolean {
  return (
    error instanceof ResponseError &&
    (error.code === LSPErrorCodes.ContentModified ||
      error.code === LSPErrorCodes.RequestCancelled ||
      error.code === LSPErrorCodes.ServerCancelled)
  );
}
