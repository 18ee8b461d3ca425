import {
  type DestinationError,
  type Exchange,
  type HeaderList,
  type ResponseHead,
  type Tunnel,
  type UpgradeFeature,
} from "@proxy/http";
import type { ClientResponse, ForwardOptions } from "./forward-options.ts";
import type { Outgoing } from "./outgoing.ts";
import { type ForwardedUpgrade, forwardedUpgrade, namesUpgrade, planUpgrade, type UpgradePlan } from "./upgrade.ts";
import { connectedHead, provideKey, switchingHead, takeKey } from "./websocket/handshake.ts";

const afterDowngrade: UpgradePlan = { connect: false, downgrade: false };

/**
 * The two handshakes of a forwarded upgrade, which may be of two versions of HTTP: what the client asked for, how the destination
 * is asked, and the key that one of the two sides has and the other has not. There is one only for requests that are upgrades.
 */
export class UpgradeHandshake {
  readonly upgrade: ForwardedUpgrade;
  readonly #feature: UpgradeFeature;
  #plan: UpgradePlan | undefined = undefined;
  #key: string | undefined = undefined;

  private constructor(upgrade: ForwardedUpgrade, feature: UpgradeFeature) {
    this.upgrade = upgrade;
    this.#feature = feature;
  }

  /** Undefined: the request is forwarded as an ordinary one. */
  static of(exchange: Exchange): UpgradeHandshake | undefined {
    const feature = exchange.features.upgrade;
    if (feature === undefined) return undefined;
    const upgrade = forwardedUpgrade(feature);
    return upgrade === undefined ? undefined : new UpgradeHandshake(upgrade, feature);
  }

  /** Over HTTP/1.1 an upgrade has to be a GET. */
  takes(method: string): boolean {
    return this.#feature.kind !== "http1" || method === "GET";
  }

  /** False when version and policy allow no such upgrade. */
  plan({ version, versionPolicy }: ForwardOptions, scheme: "http" | "https"): boolean {
    this.#plan = planUpgrade(this.upgrade, version ?? "2", versionPolicy ?? "RequestVersionOrLower", scheme);
    return this.#plan !== undefined;
  }

  ask(outgoing: Outgoing): void {
    const { connect } = this.#plan as UpgradePlan;
    outgoing.upgrade = connect || this.#feature.kind === "http2" ? "websocket" : this.#feature.protocol;
    outgoing.method = connect ? "CONNECT" : "GET";
    outgoing.httpVersion = connect ? "2" : "1.1";
    outgoing.versionPolicy = "RequestVersionExact";
  }

  /** A handshake between two versions needs a key on one side only. False: the client's is missing or malformed. */
  settleKey(headers: HeaderList): boolean {
    const fromHttp1 = this.#feature.kind === "http1";
    if (fromHttp1 !== this.#plan?.connect) return true;
    this.#key = fromHttp1 ? takeKey(headers) : provideKey(headers);
    return this.#key !== undefined;
  }

  /** An ordinary answer of this kind would be taken for a tunnel by a client of HTTP/2. */
  seemsDone(head: ResponseHead): boolean {
    return head.status < 300 && this.#feature.kind === "http2";
  }

  /** Whether the destination may be asked once more, over HTTP/1.1; the plan is changed then. */
  downgrade(error: DestinationError): boolean {
    if (this.#plan?.downgrade !== true || !error.versionUnavailable) return false;
    this.#plan = afterDowngrade;
    this.#key = undefined;
    return true;
  }

  /** The destination's head in the client's version. Throws when it does not prove that the destination took part. */
  headForClient(head: ResponseHead): ResponseHead {
    if (this.#key === undefined) return head;
    return head.status === 101 ? connectedHead(head, this.#key) : switchingHead(head, this.#key);
  }

  /** Throws when the client's server does not take part. */
  accept(response: ClientResponse, head: ResponseHead): Tunnel {
    // A 2xx to CONNECT has no content (RFC 9110, 9.3.6).
    response.headers.remove("content-length");
    const protocol = head.headers.get("upgrade");
    if (protocol !== undefined && this.#feature.kind === "http1" && namesUpgrade(head.headers)) response.headers.set("Upgrade", protocol);
    return this.#feature.accept(response);
  }
}
