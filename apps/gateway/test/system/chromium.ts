import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A headless Chromium with one page, driven over the pipes of its DevTools protocol. */
export interface Browser {
  /** Resolves once the page is loaded. */
  open(url: string): Promise<void>;
  /** Resolves once the page that `expression` leads to (a click, a form) is loaded. */
  follow(expression: string): Promise<void>;
  /** What the expression gives, awaited, as JSON. Rejects with what the page threw. */
  evaluate(expression: string): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Names resolve to loopback, and certificates are not verified. */
export async function startChromium(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "gateway-chromium-"));
  const child = spawn(
    program,
    [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
      "--disable-background-networking", "--disable-component-update", "--disable-extensions",
      "--ignore-certificate-errors", "--host-resolver-rules=MAP * 127.0.0.1", `--user-data-dir=${profile}`,
      "--remote-debugging-pipe", "about:blank",
    ],
    // A group of its own: Debian's program is a script with many children.
    { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], detached: true },
  );
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    if (errors.length < 65_536) errors += chunk.toString("utf8");
  });
  const ended = once(child, "close");
  const input = child.stdio[3] as Writable;
  const output = child.stdio[4] as Readable;
  input.on("error", () => {});
  const calls = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>();
  const watchers = new Set<(method: string) => void>();
  let last = 0;
  let pending = Buffer.alloc(0);
  output.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let end = pending.indexOf(0); end >= 0; end = pending.indexOf(0)) {
      const message = JSON.parse(pending.toString("utf8", 0, end)) as Message;
      pending = pending.subarray(end + 1);
      for (const watcher of watchers) watcher(message.method ?? "");
      const call = calls.get(message.id ?? 0);
      if (call === undefined) continue;
      calls.delete(message.id ?? 0);
      if (message.error === undefined) call.resolve(message.result ?? {});
      else call.reject(new Error(message.error.message));
    }
  });
  void ended.then(() => {
    for (const call of calls.values()) call.reject(new Error(`Chromium ended: ${errors}`));
  });
  const call = (method: string, params: Record<string, unknown> = {}, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      calls.set(id, { resolve, reject });
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = (await call("Target.attachToTarget", { targetId, flatten: true })) as { sessionId: string };
  await call("Page.enable", {}, sessionId);
  const nextLoad = (): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (method: string): void => {
        if (method !== "Page.loadEventFired") return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
    });
  return {
    async open(url) {
      const loaded = nextLoad();
      const { errorText } = await call("Page.navigate", { url }, sessionId);
      if (errorText !== undefined) throw new Error(`${url}: ${String(errorText)}`);
      await loaded;
    },
    async follow(expression) {
      const loaded = nextLoad();
      // Later, so that the answer to this call does not get lost with the page.
      await call("Runtime.evaluate", { expression: `void setTimeout(() => { ${expression}; })` }, sessionId);
      await loaded;
    },
    async evaluate(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = (await call("Runtime.evaluate", params, sessionId)) as {
        result: { value?: unknown };
        exceptionDetails?: { text: string; exception?: { description?: string } };
      };
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    async [Symbol.asyncDispose]() {
      await call("Browser.close").catch(() => {});
      // Should it hang: the whole group.
      const timer = setTimeout(() => {
        try {
          process.kill(-(child.pid as number), "SIGKILL");
        } catch {
          // Gone in this moment.
        }
      }, 5000);
      await ended;
      clearTimeout(timer);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
