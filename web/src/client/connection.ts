// One WebSocket that is opened again when it breaks, and the questions that are asked over it.
import type { ClientMessage, ErrorType, Heat } from '../generated/live';
import {
  type Answers,
  type ErrorMessage,
  type Hello,
  PROTOCOL,
  type QuestionKind,
  type Questions,
  type ServerMessage,
  type Status,
} from './messages';

/** The server's refusal, or that there is no server. */
export class LiveError extends Error {
  constructor(
    message: string,
    readonly kind: ErrorType | 'disconnected',
  ) {
    super(message);
    this.name = 'LiveError';
  }

  /** A newer question took the place, or the connection broke: nothing to tell anybody. */
  get isOutdated(): boolean {
    return this.kind === 'superseded' || this.kind === 'disconnected';
  }

  /** It may go well in a moment. */
  get isTemporary(): boolean {
    return this.kind === 'model_loading' || this.kind === 'busy' || this.kind === 'deadline';
  }
}

export type Link = 'connecting' | 'open' | 'closed' | 'unauthorized';

export interface ConnectionEvents {
  /** The server is there, again or for the first time: it knows nothing of what was said before. */
  onHello(hello: Hello): void;
  onHeat(heat: Heat): void;
  onStatus(status: Status): void;
  /** A refusal of something that was no question. */
  onError(error: LiveError): void;
  onLink(link: Link): void;
}

/** What is used of a WebSocket. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>;

export interface ConnectionOptions {
  url: string;
  events: ConnectionEvents;
  createSocket?: (url: string, protocols: string[]) => Socket;
  /** Whether the server, which did not let us in, wants a token. */
  needsToken?: () => Promise<boolean>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

interface Pending {
  resolve(result: Answers[QuestionKind] | null): void;
  reject(error: LiveError): void;
}

/** The subprotocol that carries a token: a page can send no header with a WebSocket. */
export function bearerProtocol(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  return `bearer.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

export class Connection {
  private socket: Socket | null = null;
  private isOpen = false;
  private isEnded = false;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private token: string | null = null;
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();

  constructor(private readonly options: ConnectionOptions) {
    this.connect();
  }

  /** Tries at once with another token. */
  authorize(token: string): void {
    this.token = token;
    this.retryNow();
  }

  /** Does not wait for the next attempt. */
  retryNow(): void {
    if (this.socket || this.isEnded) return;
    clearTimeout(this.timer);
    this.attempts = 0;
    this.connect();
  }

  /** Says something that is not answered; nothing, while there is no server. */
  say(message: ClientMessage): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(message));
  }

  /** Of questions of one kind in one slot only the newest is answered; the others end as outdated. */
  ask<Kind extends QuestionKind>(kind: Kind, question: Questions[Kind], slot?: string): Promise<Answers[Kind] | null> {
    if (!this.isOpen) return Promise.reject(new LiveError('the server is not connected', 'disconnected'));
    const id = this.nextId++;
    const message = { type: kind, id, ...(slot === undefined ? {} : { slot }), ...question } as ClientMessage;
    const answer = new Promise<Answers[QuestionKind] | null>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
    });
    this.say(message);
    return answer as Promise<Answers[Kind] | null>;
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private connect(): void {
    this.options.events.onLink('connecting');
    const create = this.options.createSocket ?? ((url, protocols) => new WebSocket(url, protocols));
    const protocols = this.token === null ? [PROTOCOL] : [PROTOCOL, bearerProtocol(this.token)];
    const socket = create(this.options.url, protocols);
    this.socket = socket;
    socket.onopen = () => {
      this.isOpen = true;
      this.attempts = 0;
      this.options.events.onLink('open');
    };
    socket.onmessage = ({ data }) => this.hear(String(data));
    socket.onclose = () => void this.closed();
  }

  private async closed(): Promise<void> {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.socket = null;
    for (const { reject } of this.pending.values()) {
      reject(new LiveError('the connection to the server broke', 'disconnected'));
    }
    this.pending.clear();
    if (this.isEnded) return;
    this.options.events.onLink('closed');
    if (!wasOpen && (await this.options.needsToken?.())) {
      if (this.socket === null) this.options.events.onLink('unauthorized');
      return;
    }
    if (this.socket !== null || this.isEnded) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.attempts++);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    switch (message.type) {
      case 'hello':
        this.options.events.onHello(message);
        break;
      case 'status':
        this.options.events.onStatus(message);
        break;
      case 'heat':
        this.options.events.onHeat(message);
        break;
      case 'error':
        this.refused(message);
        break;
      default:
        this.take(message.id)?.resolve(message.result);
    }
  }

  private refused({ id, error, error_type }: ErrorMessage): void {
    const refusal = new LiveError(error, error_type);
    if (id === null) this.options.events.onError(refusal);
    else this.take(id)?.reject(refusal);
  }

  /** The question that is answered now. */
  private take(id: number): Pending | undefined {
    const asked = this.pending.get(id);
    this.pending.delete(id);
    return asked;
  }
}
