// A WebSocket that reconnects when it breaks, and the requests that are sent over it.
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

/** The server refused a request, or there is no connection. */
export class LiveError extends Error {
  constructor(
    message: string,
    readonly kind: ErrorType | 'disconnected',
  ) {
    super(message);
    this.name = 'LiveError';
  }

  /** A newer request replaced this one, or the connection broke. The user does not need to know. */
  get isOutdated(): boolean {
    return this.kind === 'superseded' || this.kind === 'disconnected';
  }

  /** The same request can succeed in a moment. */
  get isTemporary(): boolean {
    return this.kind === 'model_loading' || this.kind === 'busy' || this.kind === 'deadline';
  }
}

/**
 * `unauthorized`: the server needs a token, or another one. `refused`: the server runs, but does not accept another live connection.
 * `closed`: no server answers.
 */
export type Link = 'connecting' | 'open' | 'closed' | 'refused' | 'unauthorized';

/** Why the server did not open a WebSocket. A browser does not report the HTTP status of a failed handshake. */
export type Refusal = 'unauthorized' | 'refused' | 'unreachable';

export interface ConnectionEvents {
  /** A new connection is open. The server does not know the document yet. */
  onHello(hello: Hello): void;
  onHeat(heat: Heat): void;
  onStatus(status: Status): void;
  /** The server refused a message that is not a question. */
  onError(error: LiveError): void;
  onLink(link: Link): void;
}

/** The part of `WebSocket` that this module uses. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>;

export interface ConnectionOptions {
  url: string;
  events: ConnectionEvents;
  createSocket?: (url: string, protocols: string[]) => Socket;
  /** Asks the server why it refused the handshake. */
  diagnose?: (token: string | null) => Promise<Refusal>;
}

/** The close code with which a server without room for another live connection ends one that it has just accepted. */
const TRY_AGAIN_LATER = 1013;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

interface Pending {
  resolve(result: Answers[QuestionKind] | null): void;
  reject(error: LiveError): void;
}

/** The subprotocol that carries a token, because a page cannot send headers with a WebSocket. */
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

  /** Connects at once with another token. */
  authorize(token: string): void {
    this.token = token;
    this.retryNow();
  }

  /** Connects now instead of at the next attempt. */
  retryNow(): void {
    if (this.socket || this.isEnded) return;
    clearTimeout(this.timer);
    this.attempts = 0;
    this.connect();
  }

  /** Sends a message that has no answer. Without a connection, does nothing. */
  send(message: ClientMessage): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(message));
  }

  /** A newer question of the same kind and slot replaces an earlier one, which then rejects as outdated. */
  ask<Kind extends QuestionKind>(kind: Kind, question: Questions[Kind], slot?: string): Promise<Answers[Kind] | null> {
    if (!this.isOpen) return Promise.reject(new LiveError('the server is not connected', 'disconnected'));
    const id = this.nextId++;
    const message = { type: kind, id, ...(slot === undefined ? {} : { slot }), ...question } as ClientMessage;
    const answer = new Promise<Answers[QuestionKind] | null>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
    });
    this.send(message);
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
    };
    socket.onmessage = ({ data }) => this.receive(String(data));
    socket.onclose = ({ code }) => void this.closed(code);
  }

  private async closed(code: number): Promise<void> {
    const isFull = code === TRY_AGAIN_LATER;
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.socket = null;
    for (const { reject } of this.pending.values()) {
      reject(new LiveError('the connection to the server broke', 'disconnected'));
    }
    this.pending.clear();
    if (this.isEnded) return;
    this.options.events.onLink(isFull ? 'refused' : 'closed');
    const refusal = wasOpen ? undefined : await this.options.diagnose?.(this.token);
    // Another attempt may have begun meanwhile.
    if (this.socket !== null || this.isEnded) return;
    if (refusal === 'unauthorized') {
      this.options.events.onLink('unauthorized');
      return;
    }
    if (refusal === 'refused') this.options.events.onLink('refused');
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.attempts++);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    switch (message.type) {
      case 'hello':
        // Before its first message, a server can still end the connection because it has no room for it.
        this.attempts = 0;
        this.options.events.onLink('open');
        this.options.events.onHello(message);
        break;
      case 'status':
        this.options.events.onStatus(message);
        break;
      case 'heat':
        this.options.events.onHeat(message);
        break;
      case 'error':
        this.reject(message);
        break;
      default:
        this.take(message.id)?.resolve(message.result);
    }
  }

  private reject({ id, error, error_type }: ErrorMessage): void {
    const refusal = new LiveError(error, error_type);
    if (id === null) this.options.events.onError(refusal);
    else this.take(id)?.reject(refusal);
  }

  /** Removes and returns the question with this id. */
  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}
