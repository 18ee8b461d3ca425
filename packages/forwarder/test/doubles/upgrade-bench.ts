import { type ExchangeFeatures, HeaderList } from "@proxy/http";
import { emptyTransformer, forwardWith, type ForwarderError, type ForwardOptions, prepareDestination, TimerWheel } from "../../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./fake-exchange.ts";
import { FakeTunnel, type FakeUpgrade } from "./fake-tunnel.ts";
import { type ScriptedCall, ScriptedClient } from "./scripted-client.ts";

/** One exchange whose client and destination the scenario plays. */
export class UpgradeBench {
  readonly exchange: FakeExchange;
  readonly upgrade: FakeUpgrade | undefined;
  readonly client = new ScriptedClient();
  readonly timers = new TimerWheel({ period: 10, automatic: false });
  /** The destination's end of the tunnel, once it upgraded. */
  readonly destination = new FakeTunnel();
  outcome: ForwarderError | undefined;
  done = 0;

  constructor(upgrade: FakeUpgrade | undefined, options: ForwardOptions & { readonly https?: boolean } = {}, exchange: FakeExchangeOptions = {}) {
    this.upgrade = upgrade;
    const features: ExchangeFeatures = { upgrade };
    const method = upgrade?.kind === "http2" ? "CONNECT" : "GET";
    this.exchange = new FakeExchange({ method, features, httpVersion: upgrade?.kind === "http2" ? "2" : "1.1", ...exchange });
    const destination = prepareDestination(`${options.https === true ? "https" : "http"}://destination.example/`);
    const all = { timers: this.timers, transformer: emptyTransformer, ...options, client: this.client };
    forwardWith(this.exchange, destination, all, (error) => {
      this.outcome = error;
      this.done++;
    });
  }

  get calls(): readonly ScriptedCall[] {
    return this.client.calls;
  }

  get call(): ScriptedCall {
    return this.client.calls.at(-1) as ScriptedCall;
  }

  /** The destination switches protocols. */
  switch(status: number, headers: readonly (readonly [string, string])[] = []): void {
    this.call.handler.onUpgrade({ status, headers: HeaderList.from(headers) }, this.destination);
  }
}
