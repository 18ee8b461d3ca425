import { type Exchange, HeaderList } from "@proxy/http";
import { KeySet } from "./key-set.ts";
import type { OutgoingRequest, Transformer } from "./forward-options.ts";

/**
 * What direct forwarding does unless told otherwise: the Host is the destination's; X-Forwarded-For, -Host and
 * -Proto tell of the client, -Prefix and `Forwarded` are removed. What the client sent of these is not believed.
 */
export const defaultTransformer: Transformer = {
  omitRequestHeaders: new KeySet([
    "host",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
  ]),
  trusted: true,
  request: addForwarded,
};

/** Copies everything that may be copied, the client's Host too, and adds nothing. */
export const emptyTransformer: Transformer = { trusted: true };

const protocols = HeaderList.from([
  ["X-Forwarded-Proto", "http"],
  ["X-Forwarded-Proto", "https"],
]);

function addForwarded(exchange: Exchange, outgoing: OutgoingRequest): void {
  const { remoteAddress } = exchange.connection;
  const { authority, scheme } = exchange.request;
  if (remoteAddress !== undefined) outgoing.headers.appendFrom(forwardedFor(remoteAddress), 0);
  if (authority !== "") outgoing.headers.appendFrom(forwardedHost(authority), 0);
  outgoing.headers.appendFrom(protocols, scheme === "http" ? 0 : 1);
}

const maximumRemembered = 1024;

/** Makes lines named `name`, each checked once and not with every request; remembers the last of them. */
function lines(name: string): (value: string) => HeaderList {
  const remembered = new Map<string, HeaderList>();
  return (value) => {
    const known = remembered.get(value);
    if (known !== undefined) return known;
    if (remembered.size >= maximumRemembered) remembered.clear();
    // A value cut out of a message would hold the whole of it.
    const own = Buffer.from(value, "latin1").toString("latin1");
    const line = HeaderList.from([[name, own]]);
    remembered.set(own, line);
    return line;
  };
}

const forwardedFor = lines("X-Forwarded-For");
const forwardedHost = lines("X-Forwarded-Host");
