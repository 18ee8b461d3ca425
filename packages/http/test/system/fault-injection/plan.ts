import { randomNumbers } from "./random-numbers.ts";

/** What goes wrong on one side, and after how many of the bytes that this side sends. */
export interface Fault {
  readonly kind: "none" | "reset" | "half-close" | "close" | "stall" | "garbage";
  readonly at: number;
  /** Bytes per write. */
  readonly pieces: number;
}

/** One exchange: what the client sends, what the destination answers, and what goes wrong on either side. */
export interface Plan {
  readonly id: number;
  readonly request: string;
  readonly method: "GET" | "POST" | "HEAD";
  readonly response: string;
  /** The body that a client must see when it sees a complete response. */
  readonly body: string;
  readonly upgrade: boolean;
  readonly client: Fault;
  /** The client does not read for so many turns after its request. */
  readonly slowReader: number;
  readonly destination: Fault;
  /** The destination answers at the head, not at the end of the request. */
  readonly early: boolean;
}

/** Where in its message a side breaks off. */
export const steps = ["before", "in the head", "after the head", "in the body", "at the end"] as const;
export type Step = (typeof steps)[number];

/** The step of `text` that ends after `at` bytes. */
export function stepAt(text: string, at: number): Step {
  const head = text.indexOf("\r\n\r\n") + 4;
  if (at === 0) return "before";
  if (at >= text.length) return "at the end";
  if (at < head) return "in the head";
  return at === head ? "after the head" : "in the body";
}

const digits = "0123456789";
export const kinds = ["none", "reset", "half-close", "close", "stall", "garbage"] as const;
const sizes = [0, 10, 100, 5000, 70_000, 300_000] as const;

/** The plan of exchange `id`: the same for the same seed, whatever was played before. */
export function makePlan(seed: number, id: number): Plan {
  const random = randomNumbers(seed * 100_003 + id);
  const upgrade = random(12) === 0;
  const method = upgrade ? "GET" : (["GET", "GET", "POST", "POST", "HEAD"] as const)[random(5)] as Plan["method"];
  const request = upgrade
    ? `GET /${id} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly bytes`
    : makeRequest(id, method, random);
  const { response, body } = upgrade
    ? { response: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes of the tunnel", body: "" }
    : makeResponse(method, random);
  return {
    id, request, method, response, body, upgrade, early: random(3) === 0, slowReader: random(4) === 0 ? random(30) : 0,
    client: makeFault(request, random),
    destination: makeFault(response, random),
  };
}

function makeRequest(id: number, method: Plan["method"], random: (below: number) => number): string {
  const head = `${method} /${id} HTTP/1.1\r\nHost: test\r\n`;
  if (method !== "POST") return `${head}\r\n`;
  const size = sizes[random(sizes.length)] as number;
  const body = digits.repeat(size / 10);
  if (random(2) === 0) return `${head}Content-Length: ${size}\r\n\r\n${body}`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${size === 0 ? "" : `${size.toString(16)}\r\n${body}\r\n`}0\r\nX-T: 1\r\n\r\n`;
}

function makeResponse(method: Plan["method"], random: (below: number) => number): { response: string; body: string } {
  const interim = random(6) === 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" : "";
  const size = sizes[random(sizes.length)] as number;
  const text = digits.repeat(size / 10);
  const body = method === "HEAD" ? "" : text;
  switch (random(4)) {
    case 0:
      return { response: `${interim}HTTP/1.1 204 No Content\r\n\r\n`, body: "" };
    case 1: {
      const half = size / 2;
      const halves = [text.slice(0, half), text.slice(half)];
      const chunks = size === 0 ? "" : halves.map((each) => `${half.toString(16)}\r\n${each}\r\n`).join("");
      const framed = method === "HEAD" ? "" : `${chunks}0\r\n\r\n`;
      return { response: `${interim}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${framed}`, body };
    }
    default:
      return { response: `${interim}HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${body}`, body };
  }
}

function makeFault(text: string, random: (below: number) => number): Fault {
  const { length } = text;
  // Half of the sides behave, so that connections live on and are used again.
  const kind = random(2) === 0 ? "none" : (kinds[random(kinds.length)] as Fault["kind"]);
  // Faults within the head and at the edges are worth more than those in the middle of a long body.
  const edges = [0, text.indexOf("\r\n\r\n") + 4, length];
  const at = [random(Math.min(length, 150) + 1), random(Math.min(length, 150) + 1), random(length + 1), edges[random(3)]][random(4)] as number;
  return { kind, at, pieces: random(4) === 0 ? 1 + random(40) : 16_384 };
}
