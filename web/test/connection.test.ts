import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  bearerProtocol,
  Connection,
  type Link,
  type LiveError,
  type Refusal,
  type Socket,
} from '../src/client/connection';
import { LiveDocument } from '../src/client/liveDocument';
import type { Hello } from '../src/client/messages';
import type { Heat } from '../src/generated/live';

/** The other end of a WebSocket, in hand. */
class Wire implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly sent: Record<string, unknown>[] = [];
  constructor(readonly protocols: string[]) {}
  send(text: string | ArrayBufferLike | Blob | ArrayBufferView) {
    this.sent.push(JSON.parse(String(text)));
  }
  close() {
    this.break();
  }
  open() {
    this.onopen?.call(this as unknown as WebSocket, new Event('open'));
  }
  say(message: unknown) {
    const event = new MessageEvent('message', { data: JSON.stringify(message) });
    this.onmessage?.call(this as unknown as WebSocket, event);
  }
  break(code = 1006) {
    this.onclose?.call(this as unknown as WebSocket, Object.assign(new Event('close'), { code }) as CloseEvent);
  }
}

const hello: Hello = { type: 'hello', protocol: 'codegaze.1', version: '0', models: [], maxTextBytes: 1 };

function setUp(diagnose: (token: string | null) => Promise<Refusal> = async () => 'unreachable') {
  const wires: Wire[] = [];
  const links: Link[] = [];
  const heats: Heat[] = [];
  const errors: LiveError[] = [];
  let hellos = 0;
  const connection = new Connection({
    url: 'ws://there/ws',
    diagnose,
    createSocket: (_url, protocols) => {
      const wire = new Wire(protocols);
      wires.push(wire);
      return wire;
    },
    events: {
      onHello: () => {
        hellos++;
      },
      onHeat: (heat) => heats.push(heat),
      onStatus: () => {},
      onError: (error) => errors.push(error),
      onLink: (link) => links.push(link),
    },
  });
  const wire = (at: number) => {
    const found = wires[at];
    if (!found) throw new Error(`there are ${wires.length} connections`);
    return found;
  };
  return { connection, wires, wire, links, heats, errors, hellos: () => hellos };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a connection', () => {
  test('speaks its protocol, and gives each answer to its question', async () => {
    const { connection, wire } = setUp();
    expect(wire(0).protocols).toEqual(['codegaze.1']);
    wire(0).open();
    const summary = connection.ask('summary', {});
    const matrix = connection.ask('matrix', { chunk: 1, unit: 'subword' }, 'a');
    expect(wire(0).sent).toEqual([
      { type: 'summary', id: 1 },
      { type: 'matrix', id: 2, slot: 'a', chunk: 1, unit: 'subword' },
    ]);
    wire(0).say({ type: 'matrix', id: 2, result: null });
    wire(0).say({ type: 'summary', id: 1, result: { version: 7 } });
    expect(await matrix).toBeNull();
    expect(await summary).toEqual({ version: 7 });
  });

  test('refuses a question with the server’s own words', async () => {
    const { connection, wire, errors } = setUp();
    wire(0).open();
    const refused = connection.ask('summary', {});
    wire(0).say({ type: 'error', id: 1, error: 'a newer one', error_type: 'superseded' });
    await expect(refused).rejects.toMatchObject({ message: 'a newer one', kind: 'superseded', isOutdated: true });
    wire(0).say({ type: 'error', id: null, error: 'too long', error_type: 'too_large' });
    expect(errors.map(({ kind, isOutdated }) => [kind, isOutdated])).toEqual([['too_large', false]]);
  });

  test('comes again after a break, later each time, and tells who waits', async () => {
    const { connection, wire, wires, links } = setUp();
    wire(0).open();
    wire(0).say(hello);
    const asked = connection.ask('summary', {});
    wire(0).break();
    await expect(asked).rejects.toMatchObject({ kind: 'disconnected' });
    await expect(connection.ask('summary', {})).rejects.toMatchObject({ kind: 'disconnected' });
    await vi.advanceTimersByTimeAsync(499);
    expect(wires).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires).toHaveLength(2);
    wire(1).break();
    await vi.advanceTimersByTimeAsync(999);
    expect(wires).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires).toHaveLength(3);
    // Once it worked, the pauses begin anew.
    wire(2).open();
    wire(2).say(hello);
    wire(2).break();
    await vi.advanceTimersByTimeAsync(500);
    expect(wires).toHaveLength(4);
    expect(links.slice(0, 4)).toEqual(['connecting', 'open', 'closed', 'connecting']);
    wire(3).break();
    connection.retryNow();
    expect(wires).toHaveLength(5);
    connection.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires).toHaveLength(5);
  });

  test('waits for a token where one is wanted, and sends it as a subprotocol', async () => {
    const { connection, wire, wires, links } = setUp(async () => 'unauthorized');
    wire(0).break();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(links.at(-1)).toBe('unauthorized');
    expect(wires).toHaveLength(1);
    connection.authorize('gehe?im>ü');
    expect(wire(1).protocols).toEqual(['codegaze.1', bearerProtocol('gehe?im>ü')]);
    const base64 = bearerProtocol('gehe?im>ü').replace('bearer.', '');
    expect(base64).toMatch(/^[\w-]+$/);
    expect(Buffer.from(base64, 'base64url').toString()).toBe('gehe?im>ü');
  });

  test('is not called open by a server without room, and tries again later each time', async () => {
    const { wire, wires, links } = setUp(async () => 'unreachable');
    wire(0).open();
    wire(0).break(1013);
    await vi.advanceTimersByTimeAsync(0);
    expect(links).toEqual(['connecting', 'refused']);
    await vi.advanceTimersByTimeAsync(500);
    wire(1).open();
    wire(1).break(1013);
    await vi.advanceTimersByTimeAsync(999);
    expect(wires).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires).toHaveLength(3);
  });

  test('tells a server that refuses live connections from one that is not there, and tries again', async () => {
    const tokens: (string | null)[] = [];
    const answers: Refusal[] = ['refused', 'unreachable', 'unauthorized'];
    const { connection, wire, wires, links } = setUp(async (token) => {
      tokens.push(token);
      return answers.shift() ?? 'unreachable';
    });
    wire(0).break();
    await vi.advanceTimersByTimeAsync(0);
    expect(links).toEqual(['connecting', 'closed', 'refused']);
    await vi.advanceTimersByTimeAsync(500);
    expect(wires).toHaveLength(2);
    wire(1).break();
    await vi.advanceTimersByTimeAsync(0);
    expect(links.slice(3)).toEqual(['connecting', 'closed']);
    // The server is asked with the token that it refused: it must not pass for a wrong one if the server is full.
    connection.authorize('mine');
    wire(2).break();
    await vi.advanceTimersByTimeAsync(0);
    expect(links.at(-1)).toBe('unauthorized');
    expect(tokens).toEqual([null, null, 'mine']);
  });
});

describe('a live document', () => {
  const view = { method: 'norm', layers: null } as const;
  const modelAndView = { model: 'mini', view };

  test('goes over once, then as edits, and whole again to a server that is new', async () => {
    const { connection, wire } = setUp();
    let text = 'a';
    const document = new LiveDocument(connection, () => text, modelAndView);
    document.edit([{ text: 'ab' }]);
    wire(0).open();
    wire(0).say(hello);
    document.open();
    text = 'abc';
    const range = { start: { line: 0, character: 2 }, end: { line: 0, character: 2 } };
    document.edit([{ range, text: 'c' }]);
    document.look(range);
    wire(0).break();
    document.lost();
    document.edit([{ text: 'lost' }]);
    await vi.advanceTimersByTimeAsync(500);
    wire(1).open();
    document.open();
    expect(wire(0).sent).toEqual([
      { type: 'open', version: 2, text: 'a', view, encoding: 'utf-16', model: 'mini' },
      { type: 'edit', version: 3, changes: [{ range, text: 'c' }] },
      { type: 'look', range },
    ]);
    expect(wire(1).sent).toEqual([
      { type: 'open', version: 5, text: 'abc', view, encoding: 'utf-16', model: 'mini', range },
    ]);
  });

  test('is another version once it is closed, so that late heat is not taken for its own', () => {
    const { connection, wire } = setUp();
    const document = new LiveDocument(connection, () => 'a', modelAndView);
    wire(0).open();
    document.open();
    const { version } = document;
    document.close();
    expect(document.version).toBeGreaterThan(version);
    document.close();
    document.open();
    expect(wire(0).sent.map(({ type }) => type)).toEqual(['open', 'close', 'open']);
    expect(wire(0).sent[2]?.version).toBe(document.version);
  });

  test('is sent with its language, and again when that changes', async () => {
    const { connection, wire } = setUp();
    const document = new LiveDocument(connection, () => 'a', modelAndView);
    document.language = 'ruby';
    document.reopen();
    wire(0).open();
    document.open();
    document.language = 'go';
    document.reopen();
    document.language = null;
    document.reopen();
    wire(0).break();
    document.lost();
    document.language = 'go';
    document.reopen();
    await vi.advanceTimersByTimeAsync(500);
    wire(1).open();
    document.open();
    expect(wire(0).sent.map(({ type, language }) => [type, language])).toEqual([
      ['open', 'ruby'],
      ['open', 'go'],
      ['open', undefined],
    ]);
    expect(wire(1).sent.map(({ type, language }) => [type, language])).toEqual([['open', 'go']]);
  });

  test('gets another model and view without being sent again', () => {
    const { connection, wire } = setUp();
    const document = new LiveDocument(connection, () => 'a', { model: null, view });
    wire(0).open();
    document.setView(modelAndView);
    document.open();
    document.setView({ model: null, view: { layers: 3 } });
    expect(wire(0).sent.map(({ type, model }) => [type, model])).toEqual([
      ['open', 'mini'],
      ['view', undefined],
    ]);
    expect(wire(0).sent[1]).toEqual({ type: 'view', view: { layers: 3 } });
  });
});
