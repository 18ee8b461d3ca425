/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const host = "Host: a.test\r\n";
const follow = `GET /next HTTP/1.1\r\n${host}\r\n`;

/** Legal messages, each followed by another request, so that a different framing shows. */
export const seedMessages: readonly string[] = [
  `GET / HTTP/1.1\r\n${host}\r\n${follow}`,
  `GET /a/b?c=d HTTP/1.1\r\n${host}Accept: */*\r\nX-Empty:\r\nX-Pad: \t v \t\r\n\r\n${follow}`,
  `POST /p HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello${follow}`,
  `POST /p HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${follow}`,
  `POST /p HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\na;x=y;z="q\\"r"\r\n0123456789\r\n01\r\n!\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n${follow}`,
  `PUT /p HTTP/1.1\r\n${host}Content-Length: 0\r\nConnection: keep-alive\r\n\r\n${follow}`,
  `GET /p HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n${follow}`,
  `POST /p HTTP/1.0\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\n\r\nabc${follow}`,
  `POST /p HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc${follow}`,
  `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${follow}`,
  `DELETE /d HTTP/1.1\r\n${host}Connection: close\r\n\r\n${follow}`,
  `OPTIONS * HTTP/1.1\r\n${host}\r\n${follow}`,
  `GET http://a.test/abs HTTP/1.1\r\n${host}\r\n${follow}`,
  `\r\nHEAD /h HTTP/1.1\r\n${host}\r\n${follow}`,
  `POST /p HTTP/1.1\r\n${host}Content-Length: 48\r\n\r\nGET /smuggled HTTP/1.1\r\n${host}A: b\r\n\r\nxx${follow}`,
];

const pieces: readonly string[] = [
  "\r", "\n", "\r\n", "\n\r", "\r\n\r\n", "\n\n", "\r\r\n", "\0", " ", "\t", "  ", ":", ";", ",", "=", "\"", "\x0b", "\x0c", "\x7f",
  "\x80", "\xff", "\x85", "\xa0", "-", "+", "0", "00", "1", "5", "f", "F", "0x", "_", "0\r\n\r\n", "5\r\nhello\r\n", "\r\n ", "\r\n\t",
  "Content-Length: 5\r\n", "Content-Length: 0\r\n", "content-length: 05\r\n", "Content-Length: +5\r\n", "Content-Length : 5\r\n",
  "Content-Length: 5, 5\r\n", "Content-Length:\r\n", "Content-Length: 5 5\r\n", "Content-Length: 99999999999999999999\r\n",
  "Content-Length: 0x5\r\n", "Content-Length: 5;\r\n", "Content_Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding:\tchunked\t\r\n", "Transfer-Encoding : chunked\r\n",
  "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked;a=b\r\n", "Transfer-Encoding: \"chunked\"\r\n",
  "Transfer-Encoding: chunked,\r\n", "Transfer-Encoding: ,chunked\r\n", "Transfer-Encoding:\r\n chunked\r\n", "TE: trailers\r\n",
  "Host: b.test\r\n", "Host:\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: upgrade\r\n", "Upgrade: x\r\n",
  "Expect: 100-continue\r\n", "Expect: x\r\n", "Trailer: X-T\r\n", "GET /x HTTP/1.1\r\n", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2",
  "http/1.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ";a=b", ";a=\"b\"", ";", "; a", " ;a", ";a=", ";a=\"\r\n\"", ";a\r", "X-A: b\r\n",
  " X-A: b\r\n", "X A: b\r\n", ": b\r\n", "X-A\r\n", "%", "%zz", "#", "?", "/", "\\", "@", "[", "]",
];

/** A message with some of its parts broken, or replaced by the rest of another of `others`. */
export function mutate(random: Random, message: string, others: readonly string[] = seedMessages): string {
  let text = message;
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes; i++) {
    const at = placeIn(random, text);
    switch (random.below(8)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + 1 + random.below(3));
        break;
      case 1:
        text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
        break;
      case 2: {
        const other = placeIn(random, text);
        text = text.slice(0, at) + text.slice(Math.min(at, other), Math.max(at, other)) + text.slice(at);
        break;
      }
      case 3: {
        const other = random.pick(others);
        text = text.slice(0, at) + other.slice(placeIn(random, other));
        break;
      }
      default:
        text = text.slice(0, at) + random.pick(pieces) + text.slice(at);
    }
  }
  return text;
}

/** Any place, or one at which something begins: a line, a value, a chunk. */
function placeIn(random: Random, text: string): number {
  const at = random.below(text.length + 1);
  if (random.below(3) === 0) return at;
  const next = text.indexOf(random.pick(["\r\n", "\n", ":", " ", ";"]), at);
  return next < 0 ? at : next + random.below(3);
}
