import type { CookieSessionConfig, OAuth2Config, OpenIdConnectConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../../pipeline/test/support/recorded-events.ts";
import type { AuthenticationScheme, SchemeServices } from "../../src/authentication/scheme.ts";
import { memorySignInStore, type SignInStore } from "../../src/index.ts";
import { CookieScheme } from "../../src/sign-in/cookie-scheme.ts";
import { OAuth2Protocol } from "../../src/sign-in/oauth2.ts";
import { OpenIdConnectProtocol } from "../../src/sign-in/open-id-connect.ts";
import { RemoteScheme } from "../../src/sign-in/remote-scheme.ts";
import { publicOrigin, siteOf, TestBrowser } from "./browser.ts";
import { clientId, clientSecret } from "./identity-provider.ts";

/** The machine's time, that can be put forward. */
export class ShiftedClock {
  ahead = 0;
  now = (): number => performance.now() + this.ahead;
  date = (): number => Date.now() + this.ahead;
  after(): () => void {
    throw new Error("nothing here waits");
  }
}

export interface TestSite {
  readonly clock: ShiftedClock;
  readonly log: RecordedEvents;
  readonly schemes: readonly AuthenticationScheme[];
  browser(): TestBrowser;
}

export function servicesOf(clock: ShiftedClock, log: RecordedEvents, schemes: readonly AuthenticationScheme[], store: SignInStore = memorySignInStore({ clock })): SchemeServices {
  return { clock, log, store, fetch: (...call) => fetch(...call), trusts: () => false, withoutOwnCredentials: (request) => request, scheme: (name) => schemes.find((each) => each.name === name) };
}

export const secret = "a secret for the sessions of tests";

/** A site with one way to sign in; those that share `store` and nothing else are gateways of one site. */
export function siteWith(make: (services: SchemeServices) => RemoteScheme, cookie: CookieSessionConfig = {}, store?: SignInStore): TestSite {
  const clock = new ShiftedClock();
  const log = new RecordedEvents();
  const schemes: AuthenticationScheme[] = [];
  const services = servicesOf(clock, log, schemes, store);
  schemes.push(make(services), new CookieScheme("session", { keys: { secrets: [secret] }, ...cookie }, services));
  return { clock, log, schemes, browser: () => new TestBrowser(siteOf(schemes)) };
}

export function openIdConnect(issuer: string, config: Partial<OpenIdConnectConfig> = {}, name = "oidc") {
  return (services: SchemeServices): RemoteScheme => {
    const all: OpenIdConnectConfig = { authority: issuer, clientId, clientSecret, publicOrigin, ...config };
    return new RemoteScheme(name, all, { protocol: new OpenIdConnectProtocol(name, all, services), services });
  };
}

export function oauth2(issuer: string, config: Partial<OAuth2Config> = {}) {
  return (services: SchemeServices): RemoteScheme => {
    const all: OAuth2Config = {
      authorizationEndpoint: `${issuer}/auth`, tokenEndpoint: `${issuer}/token`, userInformationEndpoint: `${issuer}/me`, clientId, clientSecret, publicOrigin, ...config,
    };
    return new RemoteScheme("hub", all, { protocol: new OAuth2Protocol(all, services), services });
  };
}
