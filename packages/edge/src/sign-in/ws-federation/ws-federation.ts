/** Sign-in with WS-Federation 1.2 for passive requestors (13): browsers carry a request there, and a signed token back. */
import type { WsFederationConfig } from "@proxy/config";
import { askService } from "../../authentication/ask-service.ts";
import type { SchemeServices } from "../../authentication/scheme.ts";
import type { Session } from "../../session/session.ts";
import type { SignInSecrets } from "../pending-sign-ins.ts";
import { RemoteDocument } from "../remote-document.ts";
import type { SignedIn, SignInProtocol } from "../remote-scheme.ts";
import { ProviderUnavailableError, SignInRefusedError } from "../sign-in-errors.ts";
import { SingleUse } from "../store/single-use.ts";
import { assertionClaims } from "./assertion-claims.ts";
import { keysIn, largestMetadata, partyOf, thumbprintSet, type FederationParty } from "./federation-metadata.ts";
import { signedAssertion } from "./signed-assertion.ts";
import { XmlError, type XmlElement } from "./xml.ts";

/** Milliseconds: metadata that is younger is not read again because a token is signed by a key it does not have. */
const youngMetadata = 60_000;
const upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";

export class WsFederationProtocol implements SignInProtocol {
  readonly callbackMethod = "POST";
  readonly stateParameter = "wctx";
  readonly ownClaims: ReadonlySet<string> = new Set();
  readonly #config: WsFederationConfig;
  readonly #services: SchemeServices;
  readonly #party: RemoteDocument<FederationParty>;
  readonly #used: SingleUse;

  /** Throws `TypeError` for certificates that cannot be used. */
  constructor(scheme: string, config: WsFederationConfig, services: SchemeServices) {
    this.#config = config;
    this.#services = services;
    this.#used = new SingleUse(services.store, "assertion", scheme);
    const thumbprints = thumbprintSet(config.thumbprints);
    const { metadataAddress, passiveEndpoint = "", issuer = "", certificates = "" } = config;
    const own = metadataAddress ? undefined : { passiveEndpoint, issuer, keys: keysIn(certificates, thumbprints) };
    this.#party = new RemoteDocument({
      load: async () => own ?? partyOf(await this.#metadata(), thumbprints),
      clock: services.clock,
      onFailure: (error, hasOlder) => services.log.event("warning", "provider-unavailable", { scheme, hasOlder, error }),
    });
  }

  prepare(): void {
    // What fails is told, and tried again when somebody signs in.
    this.#party.get().catch(() => {});
  }

  async start(state: string, redirectUri: string): Promise<{ readonly url: string; readonly secrets: SignInSecrets }> {
    const { passiveEndpoint } = await this.#party.get();
    const url = new URL(passiveEndpoint);
    const parameters = { wa: "wsignin1.0", wtrealm: this.#config.realm ?? "", wreply: redirectUri, wctx: state, wct: new Date(this.#services.clock.date()).toISOString() };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url: url.href, secrets: {} };
  }

  async finish(parameters: URLSearchParams, _secrets: SignInSecrets, _state: string, redirectUri: string): Promise<SignedIn> {
    const results = parameters.getAll("wresult");
    if (parameters.get("wa") !== "wsignin1.0" || results.length !== 1) throw new SignInRefusedError("the answer is none to a sign-in");
    const response = results[0] as string;
    try {
      const party = await this.#party.get();
      const assertion = await this.#signed(response, party);
      const now = this.#services.clock.date();
      const rules = { issuer: party.issuer, realm: this.#config.realm ?? "", recipient: redirectUri, now, clockSkew: this.#config.clockSkew ?? 60_000 };
      const { id, until, user, claims } = assertionClaims(assertion, rules);
      if (!(await this.#used.take(id, until))) throw new SignInRefusedError("the token was used before");
      const name = claims[upn];
      return { claims, user: user ?? (typeof name === "string" ? name : undefined) };
    } catch (error) {
      throw error instanceof XmlError ? new SignInRefusedError(error.message, { cause: error }) : error;
    }
  }

  isSignOut(parameters: URLSearchParams): boolean {
    const wa = parameters.get("wa");
    return wa === "wsignoutcleanup1.0" || wa === "wsignout1.0";
  }

  async signOutUrl(_session: Session, signedOutUrl: string): Promise<string | undefined> {
    try {
      const url = new URL((await this.#party.get()).passiveEndpoint);
      for (const [name, value] of [["wa", "wsignout1.0"], ["wtrealm", this.#config.realm ?? ""], ["wreply", signedOutUrl]] as const) url.searchParams.set(name, value);
      return url.href;
    } catch (error) {
      if (error instanceof ProviderUnavailableError) return undefined;
      throw error;
    }
  }

  /** Keys may have changed since the metadata was read: it is read once more before a token is refused because of them. */
  async #signed(response: string, party: FederationParty): Promise<XmlElement> {
    try {
      return signedAssertion(response, party.keys);
    } catch (error) {
      if (!(error instanceof SignInRefusedError)) throw error;
      const newer = await this.#party.newer(youngMetadata);
      if (newer === party) throw error;
      return signedAssertion(response, newer.keys);
    }
  }

  async #metadata(): Promise<string> {
    const { metadataAddress = "", timeout = 10_000 } = this.#config;
    const { status, body } = await askService(this.#services.fetch, { url: metadataAddress, timeout, maxBytes: largestMetadata });
    if (status !== 200) throw new Error(`the metadata was answered with ${status}`);
    return Buffer.from(body).toString("utf8");
  }
}
