// The messages of the WebSocket: docs/http.md describes them, and their types come from Rust.
import type {
  ClientMessage,
  Heat,
  MatrixResult,
  Notice,
  RelationsResult,
  SummaryResult,
  ThumbnailsResult,
} from '../generated/live';

/** The WebSocket subprotocol. An incompatible version has another number. */
export const PROTOCOL = 'codegaze.1';

/** The result of each question. It is `null` if there is nothing at that place. */
export interface Answers {
  matrix: MatrixResult;
  thumbnails: ThumbnailsResult;
  relations: RelationsResult;
  summary: SummaryResult;
}

export type QuestionKind = keyof Answers;

/** The fields of each question, besides its number. */
export type Questions = {
  [Kind in QuestionKind]: Omit<Extract<ClientMessage, { type: Kind }>, 'type' | 'id' | 'slot'>;
};

export type Answer = {
  [Kind in QuestionKind]: { type: Kind; id: number; result: Answers[Kind] | null };
}[QuestionKind];

export type Hello = Extract<Notice, { type: 'hello' }>;
export type Status = Extract<Notice, { type: 'status' }>;
export type ErrorMessage = Extract<Notice, { type: 'error' }>;

export type ServerMessage = Notice | Heat | Answer;
