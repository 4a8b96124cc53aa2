/** An event emitter that knows what each event carries, and whose listeners can be taken off with an `AbortSignal`. */

type Listener<Payload> = (payload: Payload) => void | Promise<void>;

interface ListenOptions {
  once?: boolean;
  signal?: AbortSignal;
}

export class Emitter<Events extends Record<string, unknown>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>, options: ListenOptions = {}): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);

    const wrapped: Listener<Events[Name]> = (payload) => {
      if (options.once) off();
      return listener(payload);
    };
    const off = (): void => {
      listeners.delete(wrapped);
    };

    if (!options.signal?.aborted) {
      listeners.add(wrapped);
      options.signal?.addEventListener("abort", off, { once: true });
    }
    return off;
  }

  async emit<Name extends keyof Events>(name: Name, payload: Events[Name]): Promise<PromiseRejectedResult[]> {
    const listeners = [...(this.#listeners.get(name) ?? [])] as Listener<Events[Name]>[];
    const settled = await Promise.allSettled(listeners.map(async (listener) => listener(payload)));
    return settled.filter((result) => result.status === "rejected");
  }
}

interface EditorEvents extends Record<string, unknown> {
  open: { path: string; version: number };
  close: { path: string };
}

const editor = new Emitter<EditorEvents>();
editor.on("open", ({ path, version }) => console.log(`${path} is open at version ${version}`));
await editor.emit("open", { path: "src/main.ts", version: 1 });
