/**
 * What the steps cost for each request, without a network: `node --conditions=@proxy/source packages/edge/bench/steps.ts` from the root. The exchange has no connection, and `next` answers.
 */
import { HeaderList, type Exchange, type ResponseHead } from "@proxy/http";
import type { ProxyContext, Step } from "@proxy/pipeline";
import { accessStep, corsStep, outputCacheStep, rateLimiterStep } from "../src/index.ts";

const plain = HeaderList.from([["Host", "gateway.test"], ["Accept", "*/*"]]);
const fromPage = HeaderList.from([["Host", "gateway.test"], ["Origin", "https://app.example"], ["Accept", "*/*"]]);
const answer: ResponseHead = { status: 200, headers: HeaderList.from([["Content-Type", "text/plain"], ["Content-Length", "2"]]) };
const exchangeOf = (headers: HeaderList): Exchange => ({
  request: { method: "GET", path: "/", query: "", scheme: "http", authority: "gateway.test", headers },
  connection: { remoteAddress: "192.0.2.7" },
  response: { started: false, ended: false, send: () => {}, sendLatin1: () => {} },
  features: {},
  onComplete: () => {},
  onClientGone: () => {},
}) as unknown as Exchange;
const route = { config: { routeId: "r" } };
const respond = (ctx: ProxyContext): void => ctx.exchange.response.send(answer, "ok");

const steps: Readonly<Record<string, Step | undefined>> = {
  "none": undefined,
  "access": accessStep({ denyAddresses: ["203.0.113.0/24"], maxTargetLength: 4096 }),
  "cors": corsStep({ origins: ["https://app.example"] }),
  "rate-limiter": rateLimiterStep({ permitLimit: 2 ** 31 - 1 }),
  "output-cache, hit": outputCacheStep({ duration: 3_600_000 }),
  "rate-limiter, silent": rateLimiterStep({ permitLimit: 2 ** 31 - 1, sendHeaders: false }),
};
const rounds = 1_000_000;

for (const [name, step] of Object.entries(steps)) {
  const exchange = exchangeOf(name === "cors" ? fromPage : plain);
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const ctx = { exchange, route, item: () => undefined } as unknown as ProxyContext;
      if (step === undefined) respond(ctx);
      else void step.run(ctx, respond);
    }
  };
  run(100_000);
  const before = process.cpuUsage();
  run(rounds);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${name.padEnd(22)} ${(((user + system) * 1000) / rounds).toFixed(0)} ns of CPU for each request\n`);
}
