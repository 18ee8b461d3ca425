import { constants } from "node:http2";
import { BadRequestError, ClientGoneError, HeaderList } from "@proxy/http";
import { expect } from "vitest";
import type { ConformanceCase } from "@proxy/conformance";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, turns, until } from "../../../http/test/contract/recorders.ts";
import { forwardWith, prepareDestination, type ForwardOptions, type ForwarderError, TimerWheel } from "../../src/index.ts";
import { EndToEnd } from "./http2-scenarios.ts";
import { FakeExchange, type FakeExchangeOptions } from "../doubles/fake-exchange.ts";
import { ScriptedCall, ScriptedClient } from "../doubles/scripted-client.ts";

/** What a scenario saw; what it does not tell is compared by the scenario itself. */
export interface Observed {
  readonly error: string;
  readonly status: number | undefined;
  readonly requestSent: boolean;
  readonly bodyBytes: number;
  readonly body: string;
  readonly responseStarted: boolean;
  readonly aborted: boolean;
  /** None of the destination's fields reached the client. */
  readonly headersCleared: boolean;
  readonly thrown: boolean;
}

/** One forwarding with a destination that the scenario plays. Time moves by the ticks it gives. */
class Bench {
  readonly exchange: FakeExchange;
  readonly client: ScriptedClient;
  readonly timers = new TimerWheel({ period: 10, automatic: false });
  outcome: ForwarderError | undefined;
  done = 0;
  fault: unknown;

  constructor(exchange: FakeExchangeOptions, options: ForwardOptions = {}, script?: (call: ScriptedCall) => void) {
    this.exchange = new FakeExchange(exchange);
    this.client = new ScriptedClient(script);
    const destination = prepareDestination("http://destination.example/");
    forwardWith(this.exchange, destination, { timers: this.timers, ...options, client: this.client }, (error, fault) => {
      this.outcome = error;
      this.fault = fault;
      this.done++;
    });
  }

  get call(): ScriptedCall {
    return this.client.call;
  }

  observed(): Observed {
    expect(this.done).toBe(1);
    const { response } = this.exchange;
    expect(this.timers.size).toBe(0);
    return {
      error: this.outcome?.code ?? "None",
      status: response.status ?? this.outcome?.status,
      requestSent: this.client.calls.length > 0,
      bodyBytes: response.body.length,
      body: response.body,
      responseStarted: response.started && (this.outcome === undefined || this.outcome.status === undefined),
      aborted: response.aborted !== undefined || (response.clientGone && response.started),
      headersCleared: response.head?.headers.has("x-destination") !== true,
      thrown: this.fault !== undefined,
    };
  }
}

const copied = [["X-Destination", "1"]] as const;

type Scenario = (item: ConformanceCase) => Observed | Promise<Observed>;

/** A transform that waits until it is let go. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const refused: Scenario = ({ given }) => {
  const body = given.requestBody === true ? new MemoryBody(["body"], { length: 4 }) : undefined;
  const bench = new Bench({ method: given.method, body });
  bench.call.fail("connect ECONNREFUSED", { step: "connect", requestSent: false });
  expect(bench.outcome?.retry).toBe("safe");
  return bench.observed();
};

const mismatch: Scenario = async ({ given }) => {
  const body = new MemoryBody(["x".repeat(given.actualBytes)], { length: given.contentLength });
  const bench = new Bench({ method: "POST", body });
  bench.call.readBody();
  await turns(5);
  const { bodyError } = bench.call;
  expect(bodyError).toBeInstanceOf(BadRequestError);
  bench.call.fail("the request body broke off", { step: "request-body", source: "client", cause: bodyError });
  return bench.observed();
};

const failedAnswer = (thrown: Error): Scenario => () => {
  const bench = new Bench({}, {
    transformer: {
      response: () => {
        throw thrown;
      },
    },
  });
  bench.call.fail("unexpected");
  return bench.observed();
};

export const faults: Readonly<Record<string, Scenario>> = {
  "connect.57fae402": refused,
  "connect.963d84f5": refused,
  "timeout.60bbe49a": () => {
    const bench = new Bench({}, { activityTimeout: 1000 });
    bench.timers.advance(100);
    expect(bench.done).toBe(0);
    bench.timers.advance(2);
    expect(bench.call.aborted).toBeDefined();
    return bench.observed();
  },
  "timeout.b3cc2071": async () => {
    const body = new MemoryBody(Array.from({ length: 6 }, () => "x"), { length: 6 });
    const bench = new Bench({ method: "POST", body }, { activityTimeout: 1000 });
    bench.call.readBody();
    while (!bench.call.bodyEnded) {
      bench.timers.advance(25);
      await turns(1);
    }
    bench.timers.advance(90);
    bench.call.respond(200);
    bench.call.end();
    return bench.observed();
  },
  "cancel.ee014dbc": () => {
    const bench = new Bench({});
    bench.exchange.leave(new ClientGoneError("gone"));
    expect(bench.call.aborted).toBeDefined();
    return bench.observed();
  },
  "cancel.22c91007": async () => {
    const caller = new AbortController();
    const { opened, open } = gate();
    const bench = new Bench({}, { signal: caller.signal, transformer: { request: () => opened } });
    caller.abort();
    open();
    await turns(2);
    return bench.observed();
  },
  "cancel.c07cdb57": async () => {
    const { opened, open } = gate();
    const bench = new Bench({}, { activityTimeout: 42, transformer: { request: () => opened } });
    bench.timers.advance(6);
    open();
    await turns(2);
    return bench.observed();
  },
  "request-body.93159dce": async () => {
    const body = new MemoryBody(["part"], { held: true });
    const bench = new Bench({ method: "POST", body });
    bench.call.readBody();
    body.fail(new BadRequestError(413, "BODY_TOO_LARGE", "the body is too large"));
    await turns(4);
    bench.call.fail("the request body broke off", { step: "request-body", source: "client" });
    return bench.observed();
  },
  "request-body.2c4f425d": async () => {
    const body = new MemoryBody(["part"], { held: true });
    const bench = new Bench({ method: "POST", body });
    bench.call.readBody();
    await turns(2);
    bench.exchange.leave(new ClientGoneError("gone"));
    return bench.observed();
  },
  "request-body.a2abd66b": async () => {
    const body = new MemoryBody(["part"], { held: true });
    const bench = new Bench({ method: "POST", body }, { activityTimeout: 1000 });
    bench.call.readBody();
    await turns(2);
    // The destination takes no more.
    bench.call.request.body?.pause();
    bench.timers.advance(102);
    return bench.observed();
  },
  "content-length-mismatch.2d16cbde": mismatch,
  "content-length-mismatch.ac5b3518": mismatch,
  "content-length-mismatch.14fc04c1": mismatch,
  "after-response.6b81f0e5": async () => {
    const body = new MemoryBody(["part"], { held: true });
    const bench = new Bench({ method: "POST", body });
    bench.call.readBody();
    bench.call.respond(200);
    bench.call.end();
    expect([bench.exchange.response.whole, bench.done]).toEqual([true, 0]);
    body.fail(new Error("read failed"));
    await turns(3);
    return bench.observed();
  },
  "after-response.6ae0b35a": async () => {
    const body = new MemoryBody(["part"], { held: true });
    const bench = new Bench({ method: "POST", body });
    bench.call.readBody();
    await turns(2);
    bench.call.respond(200);
    bench.call.end();
    // A client that could not write any more wants no more of it.
    bench.call.request.body?.cancel();
    return bench.observed();
  },
  "response-body.b32a4bc8": () => {
    const bench = new Bench({});
    bench.call.respond(200, copied);
    bench.call.fail("read ECONNRESET", { step: "response-body" });
    return bench.observed();
  },
  "response-body.db5c1ae8": async () => {
    const all = await EndToEnd.open("2", "1.1", (_request, response) => {
      response.writeHead(200, { "content-length": 8 });
      response.write("part");
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    try {
      const answer = await all.send({});
      expect([answer.reset, answer.whole]).toEqual([constants.NGHTTP2_INTERNAL_ERROR, false]);
      await until(() => all.outcomes.length === 1);
      // The connection serves on.
      expect((await all.send({}, undefined)).status).toBe(200);
      const error = all.outcomes[0]?.code ?? "None";
      const { status, body } = answer;
      return { error, status, body, bodyBytes: body.length, requestSent: true, responseStarted: true, aborted: true, headersCleared: false, thrown: false };
    } finally {
      await all.close();
    }
  },
  "response-body.ac5fd13c": () => {
    const bench = new Bench({});
    bench.call.respond(200, copied);
    bench.call.data("part");
    bench.exchange.leave(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    expect(bench.call.aborted).toBeDefined();
    return bench.observed();
  },
  "response-body.b20ec3ef": () => {
    const caller = new AbortController();
    const bench = new Bench({}, { signal: caller.signal });
    bench.call.respond(200, copied);
    bench.call.data("part");
    caller.abort();
    return bench.observed();
  },
  "response-headers.5831639d": () => {
    const bench = new Bench({}, {
      transformer: { response: (_, client) => client.headers.append("X-Bad", "a\u0001b") },
    });
    bench.call.respond(200, copied);
    expect(bench.call.aborted).toBeDefined();
    return bench.observed();
  },
  "response-headers.ff37bfd9": () => {
    const bench = new Bench({}, {
      transformer: {
        response: () => {
          throw new Error("thrown by a transform");
        },
      },
    });
    bench.call.respond(200, copied);
    return bench.observed();
  },
  "request-creation.704194d1": () => {
    let ranWithout = false;
    const bench = new Bench({}, {
      transformer: {
        request: () => {
          throw new Error("thrown by a transform");
        },
        response: (_, __, destination) => {
          ranWithout = destination === undefined;
        },
      },
    });
    expect(ranWithout).toBe(true);
    return bench.observed();
  },
  "request-creation.705b6102": () => {
    const bench = new Bench({ method: "POST" }, {
      transformer: {
        request: (_, outgoing) => {
          outgoing.body = new MemoryBody(["new"]);
        },
      },
    });
    return bench.observed();
  },
  "failed-send.e48497aa": failedAnswer(Object.assign(new Error("canceled"), { name: "AbortError" })),
  "failed-send.03fb197d": failedAnswer(new Error("another")),
  "short-circuit.f4c64a71": () => {
    const bench = new Bench({ method: "POST" }, {
      transformer: { request: (exchange) => exchange.response.start({ status: 200, headers: new HeaderList() }) },
    });
    return bench.observed();
  },
  "short-circuit.1556d0ec": () => {
    const bench = new Bench({ method: "POST" }, {
      transformer: {
        request: (exchange) => exchange.response.send({ status: 200, headers: new HeaderList() }, "Hello World"),
      },
    });
    return bench.observed();
  },
  "replace-body.0fa53dfa": async () => {
    const bench = new Bench({ method: "POST", body: new MemoryBody(["first"]) }, {
      transformer: {
        request: (_, outgoing) => {
          outgoing.body = new MemoryBody(["the replacement"]);
        },
      },
    });
    bench.call.readBody();
    while (!bench.call.bodyEnded) await turns(1);
    expect(bench.call.body).toBe("the replacement");
    bench.call.respond(200);
    bench.call.end();
    return bench.observed();
  },
  "misuse.34b8063e": () => {
    const exchange = new FakeExchange();
    exchange.response.start({ status: 200, headers: new HeaderList() });
    const client = new ScriptedClient();
    const destination = prepareDestination("http://destination.example/");
    expect(() => forwardWith(exchange, destination, { client }, () => {})).toThrow("answered already");
    return misused(exchange);
  },
  "misuse.6506f148": ({ given }) => {
    expect(() => prepareDestination(given.destinationPrefix)).toThrow(TypeError);
    return misused(new FakeExchange());
  },
  "h2-reset.76e8347c": async () => {
    const body = new MemoryBody(["endless"], { held: true });
    const bench = new Bench({ method: "POST", body, httpVersion: "2" });
    bench.call.readBody();
    await turns(2);
    bench.call.respond(200);
    bench.call.data("Hello");
    // The client of a destination cancels the upload, then tells the end.
    bench.call.request.body?.cancel();
    bench.call.end();
    expect(body.cancelled).toBe(true);
    return bench.observed();
  },
  "copy-outcome.7e0ee6d9": async ({ expect: expected }) => {
    const request = await brokenRequest(new Error("read failed"));
    expect(request.error).toBe(expected.requestDirection);
    const response = brokenResponse((bench) => bench.call.fail("read failed", { step: "response-body" }));
    expect(response.error).toBe(expected.responseDirection);
    return response;
  },
  "copy-outcome.eb903e12": async ({ expect: expected }) => {
    const request = await brokenRequest(new ClientGoneError("gone"));
    expect(request.error).toBe(expected.requestDirection);
    const response = brokenResponse((bench) => bench.exchange.leave(new ClientGoneError("gone")));
    expect(response.error).toBe(expected.responseDirection);
    return response;
  },
};

async function brokenRequest(cause: Error): Promise<Observed> {
  const body = new MemoryBody(["part"], { held: true });
  const bench = new Bench({ method: "POST", body });
  bench.call.readBody();
  body.fail(cause);
  await turns(4);
  bench.call.fail("the request body broke off", { step: "request-body", source: "client" });
  return bench.observed();
}

function brokenResponse(fault: (bench: Bench) => void): Observed {
  const bench = new Bench({});
  bench.call.respond(200);
  bench.call.data("part");
  fault(bench);
  return bench.observed();
}

function misused(exchange: FakeExchange): Observed {
  return {
    error: "None",
    status: exchange.response.status,
    requestSent: false,
    bodyBytes: 0,
    body: "",
    responseStarted: exchange.response.started,
    aborted: false,
    headersCleared: false,
    thrown: true,
  };
}
