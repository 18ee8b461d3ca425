import { HeaderList, type Exchange } from "@proxy/http";

export interface FakeAnswer {
  status: number | undefined;
  ended: boolean;
}

export interface FakeExchangeOptions {
  readonly headers?: readonly (readonly [string, string])[];
  readonly scheme?: "http" | "https";
  readonly remoteAddress?: string;
  readonly path?: string;
  readonly query?: string;
}

/** As much of an exchange as policies look at. */
export function exchangeOf(options: FakeExchangeOptions = {}): { exchange: Exchange; answer: FakeAnswer } {
  const answer: FakeAnswer = { status: undefined, ended: false };
  const response = {
    get started() {
      return answer.status !== undefined;
    },
    get ended() {
      return answer.ended;
    },
    send(head: { status: number }) {
      answer.status = head.status;
      answer.ended = true;
    },
  };
  const exchange = {
    request: {
      method: "GET",
      target: `${options.path ?? "/"}${options.query ?? ""}`,
      path: options.path ?? "/",
      query: options.query ?? "",
      scheme: options.scheme ?? "http",
      authority: "gateway.test",
      httpVersion: "1.1",
      headers: HeaderList.from(options.headers ?? []),
    },
    connection: { id: 1, remoteAddress: options.remoteAddress },
    response,
  } as unknown as Exchange;
  return { exchange, answer };
}
