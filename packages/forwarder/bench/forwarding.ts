/**
 * What one forwarding costs beside the sockets: CPU and garbage of `forward` and `forwardWith` between an exchange
 * and a destination that live in memory.
 *
 *   node --conditions=@proxy/source --expose-gc packages/forwarder/bench/forwarding.ts
 */
import { HeaderList, type DestinationCall, type DestinationHandler, type Exchange, type HttpClient, type ResponseSink } from "@proxy/http";
import { emptyTransformer, forward, forwardWith, prepareDestination, type ForwardOptions } from "../src/index.ts";

const requestLines = HeaderList.from([
  ["Host", "shop.example"],
  ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"],
  ["Accept", "text/html,application/xhtml+xml"],
  ["Accept-Encoding", "gzip, deflate, br"],
  ["Cookie", `session=${"x".repeat(200)}`],
  ["Connection", "keep-alive"],
]);
const responseLines = HeaderList.from([
  ["Server", "nginx"],
  ["Date", "Thu, 01 Jan 1970 00:00:00 GMT"],
  ["Content-Type", "text/html"],
  ["Content-Length", "128"],
  ["Connection", "keep-alive"],
]);
const chunk = Buffer.alloc(128);
const idle: DestinationCall = { pause() {}, resume() {}, abort() {} };
const answer = (handler: DestinationHandler): void => {
  handler.onProgress();
  handler.onResponse({ status: 200, reason: "OK", headers: responseLines });
  handler.onData(chunk);
  handler.onEnd(undefined);
};
const destinationClient = {
  send: (_: unknown, handler: DestinationHandler): DestinationCall => {
    answer(handler);
    return idle;
  },
  close: () => Promise.resolve(),
  destroy() {},
};
const client: HttpClient = { destination: () => destinationClient, close: () => Promise.resolve(), destroy() {} };

class Sink implements ResponseSink {
  started = false;
  status: number | undefined = undefined;
  ended = false;
  trailersSupported = true;
  pending = 0;
  informational(): void {}
  send(): void {
    this.started = true;
  }
  start(): void {
    this.started = true;
  }
  write(): boolean {
    return true;
  }
  flush(): void {}
  onDrain(): void {}
  end(): void {
    this.ended = true;
  }
  abort(): void {}
}

const request = {
  method: "GET", target: "/a/b?c=d", path: "/a/b", query: "?c=d", scheme: "http", authority: "shop.example", httpVersion: "1.1", headers: requestLines,
} as const;
const connection = { id: 1, remoteAddress: "192.0.2.7", remotePort: 1, localAddress: "192.0.2.1", localPort: 80, tls: undefined };

class MemoryExchange implements Exchange {
  readonly request = request;
  readonly connection = connection;
  readonly body = undefined;
  readonly features = {};
  readonly response = new Sink();
  onClientGone(): void {}
  onComplete(): void {}
}

const destination = prepareDestination("http://127.0.0.1:9000");
const rounds = 200_000;

async function measure(name: string, run: () => unknown): Promise<void> {
  for (let i = 0; i < rounds / 4; i++) await run();
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  for (let i = 0; i < 2000; i++) run();
  const bytes = (process.memoryUsage().heapUsed - heap) / 2000;
  const start = process.cpuUsage();
  for (let i = 0; i < rounds; i++) {
    const result = run();
    if (result !== undefined) await result;
  }
  const { user, system } = process.cpuUsage(start);
  process.stdout.write(`${name}: ${((user + system) / rounds).toFixed(2)} µs, ${bytes.toFixed(0)} bytes\n`);
}

const done = (): void => {};
const variants: readonly (readonly [string, ForwardOptions])[] = [["default", {}], ["empty", { transformer: emptyTransformer }]];
await measure("the exchange alone", () => void new MemoryExchange());
for (const [name, options] of variants) {
  const prepared = { ...options, client };
  await measure(`forwardWith, ${name} transformer`, () => forwardWith(new MemoryExchange(), destination, prepared, done));
  await measure(`forward, ${name} transformer`, () => forward(new MemoryExchange(), destination, client, options));
}

