/**
 * Delays calls of `fn` until none has come for `wait` milliseconds; the last one's arguments win.
 * All callers of a burst get the same promise.
 */
export function debounce(fn, wait, { maxWait = Infinity } = {}) {
  let timer = null;
  let pending = null;
  let firstCall = 0;

  function run(args) {
    const { resolve, reject } = pending;
    timer = pending = null;
    Promise.resolve()
      .then(() => fn(...args))
      .then(resolve, reject);
  }

  function debounced(...args) {
    const now = Date.now();
    if (pending === null) {
      firstCall = now;
      pending = {};
      pending.promise = new Promise((resolve, reject) => Object.assign(pending, { resolve, reject }));
    }
    clearTimeout(timer);
    const deadline = firstCall + maxWait - now;
    timer = setTimeout(run, Math.max(0, Math.min(wait, deadline)), args);
    return pending.promise;
  }

  debounced.cancel = (reason = "cancelled") => {
    clearTimeout(timer);
    pending?.reject(new Error(reason));
    timer = pending = null;
  };

  return debounced;
}
