import type { SessionAffinityConfig } from "@proxy/config";
import { headerKey, isHeaderName, type Exchange } from "@proxy/http";
import { systemClock, type Clock } from "../clock.ts";
import type { DestinationState } from "../destination-state.ts";
import { cookieFault, cookieValue, setCookie } from "./cookie.ts";
import { DestinationKeys } from "./destination-keys.ts";
import type { KeyProtector } from "./key-ring.ts";
import { keyNotSet, severalValues, unreadableKey, type AffinityResult, type SessionAffinityPolicy } from "./policy.ts";

/** Longer keys are not ours: ids are short, and decrypting costs. */
const longestKey = 2048;

/** The id of the destination, encrypted, in a cookie. Clients can neither read nor choose their destination. */
export function protectedCookie(protector: KeyProtector, clock: Clock = systemClock): SessionAffinityPolicy {
  const keys = new ProtectedKeys("Cookie", protector);
  return {
    name: "Cookie",
    fault: cookieFault,
    find: (exchange, settings, available) =>
      keys.find(settings, cookieValue(exchange.request.headers, settings.affinityKeyName), available),
    affinitize(exchange, settings, destination, headers, scheme = exchange.request.scheme) {
      headers.append("Set-Cookie", setCookie(scheme, settings, keys.make(settings, destination), clock.date()));
    },
  };
}

/** The same in a header of that name, both ways: for clients that keep no cookies. */
export function customHeader(protector: KeyProtector): SessionAffinityPolicy {
  const keys = new ProtectedKeys("CustomHeader", protector);
  return {
    name: "CustomHeader",
    fault: ({ affinityKeyName }) =>
      isHeaderName(affinityKeyName) ? undefined : `${JSON.stringify(affinityKeyName)} can be no name of a header`,
    find(exchange, settings, available) {
      const found = headerValue(exchange, settings.affinityKeyName);
      return found === several ? severalValues : keys.find(settings, found, available);
    },
    affinitize(_exchange, settings, destination, headers) {
      headers.append(settings.affinityKeyName, keys.make(settings, destination));
    },
  };
}

const several = Symbol("several");

function headerValue({ request }: Exchange, name: string): string | undefined | typeof several {
  const key = headerKey(name);
  const index = request.headers.indexOf(key);
  if (index < 0) return undefined;
  return request.headers.indexOf(key, index + 1) < 0 ? request.headers.valueAt(index) : several;
}

class ProtectedKeys {
  readonly #policy: string;
  readonly #protector: KeyProtector;
  readonly #ids = new DestinationKeys((id) => id);

  constructor(policy: string, protector: KeyProtector) {
    this.#policy = policy;
    this.#protector = protector;
  }

  make(settings: SessionAffinityConfig, destination: DestinationState): string {
    const sealed = this.#protector.protect(this.#purpose(settings), Buffer.from(destination.id, "utf8"));
    return withoutPadding(Buffer.from(sealed).toString("base64"));
  }

  find(
    settings: SessionAffinityConfig,
    key: string | undefined,
    available: readonly DestinationState[],
  ): AffinityResult {
    if (key === undefined || key === "") return keyNotSet;
    const id = this.#open(settings, key);
    return id === undefined ? unreadableKey : this.#ids.find(id, available);
  }

  #open(settings: SessionAffinityConfig, key: string): string | undefined {
    if (key.length > longestKey) return undefined;
    const sealed = Buffer.from(key, "base64");
    // Node skips what is no Base64; one key shall have one spelling.
    if (withoutPadding(sealed.toString("base64")) !== withoutPadding(key)) return undefined;
    const plain = this.#protector.unprotect(this.#purpose(settings), sealed);
    return plain === undefined ? undefined : Buffer.from(plain).toString("utf8");
  }

  #purpose(settings: SessionAffinityConfig): string {
    return `${this.#policy}\n${settings.affinityKeyName}`;
  }
}

function withoutPadding(base64: string): string {
  let end = base64.length;
  while (end > 0 && base64.charCodeAt(end - 1) === 0x3d) end--;
  return base64.slice(0, end);
}
