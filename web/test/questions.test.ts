import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LatestQuestion } from '../src/app/questions';
import { LiveError } from '../src/client/connection';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const recorder = () => {
  const heard: unknown[] = [];
  const question = (ask: () => Promise<string>) => ({
    ask,
    onAnswer: (answer: string) => heard.push(answer),
    onError: (error: LiveError) => heard.push(error.kind),
  });
  return { heard, question };
};

test('the newest question counts, after its pause', async () => {
  const latest = new LatestQuestion<string>();
  const { heard, question } = recorder();
  const asked: string[] = [];
  const ask = (name: string) => async () => {
    asked.push(name);
    return name;
  };
  latest.ask(question(ask('first')), 100);
  await vi.advanceTimersByTimeAsync(99);
  latest.ask(question(ask('second')), 100);
  await vi.advanceTimersByTimeAsync(200);
  expect(asked).toEqual(['second']);
  expect(heard).toEqual(['second']);
});

test('an answer that comes too late is nobody’s', async () => {
  const latest = new LatestQuestion<string>();
  const { heard, question } = recorder();
  let answer: (value: string) => void = () => {};
  latest.ask(
    question(() => new Promise((done) => (answer = done))),
    0,
  );
  await vi.advanceTimersByTimeAsync(0);
  latest.ask(
    question(async () => 'new'),
    0,
  );
  await vi.advanceTimersByTimeAsync(0);
  answer('old');
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual(['new']);
});

test('what is refused for the moment is asked again, what is outdated is not told', async () => {
  const latest = new LatestQuestion<string>();
  const { heard, question } = recorder();
  const refusals: ConstructorParameters<typeof LiveError>[1][] = ['model_loading', 'busy'];
  latest.ask(
    question(async () => {
      const kind = refusals.shift();
      if (kind) throw new LiveError(kind, kind);
      return 'there';
    }),
    0,
  );
  await vi.advanceTimersByTimeAsync(3000);
  expect(heard).toEqual(['model_loading', 'busy', 'there']);
  latest.ask(
    question(() => Promise.reject(new LiveError('', 'superseded'))),
    0,
  );
  await vi.advanceTimersByTimeAsync(3000);
  expect(heard).toHaveLength(3);
});
