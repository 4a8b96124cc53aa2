// The newest question of a kind replaces earlier ones. A question that the server refuses for the moment is repeated.
import { LiveError } from '../client/connection';

const RETRY_MS = 1000;

export interface Question<T> {
  ask(): Promise<T>;
  /** Not called if there is a newer question. */
  onAnswer(answer: T): void;
  onError(error: LiveError): void;
}

/** One kind of question. */
export class LatestQuestion<T> {
  private round = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks after a pause. Replaces the earlier question. */
  ask(question: Question<T>, pauseMs: number): void {
    this.forget();
    const round = this.round;
    this.timer = setTimeout(() => void this.run(question, round), pauseMs);
  }

  /** Ignores the answers to earlier questions. */
  forget(): void {
    this.round++;
    clearTimeout(this.timer);
  }

  private async run(question: Question<T>, round: number): Promise<void> {
    try {
      const answer = await question.ask();
      if (round === this.round) question.onAnswer(answer);
    } catch (error) {
      if (round !== this.round) return;
      if (!(error instanceof LiveError)) throw error;
      if (error.isTemporary) this.timer = setTimeout(() => void this.run(question, round), RETRY_MS);
      if (!error.isOutdated) question.onError(error);
    }
  }
}
