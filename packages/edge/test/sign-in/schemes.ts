import type { CookieSessionConfig, OAuth2Config, OpenIdConnectConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../../pipeline/test/support/recorded-events.ts";
import type { AuthenticationScheme, SchemeServices } from "../../src/authentication/scheme.ts";
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

export function servicesOf(clock: ShiftedClock, log: RecordedEvents): SchemeServices {
  return { clock, log, fetch: (...call) => fetch(...call), trusts: () => false, scheme: () => undefined };
}

export const secret = "a secret for the sessions of tests";

/** A site with one way to sign in. */
export function siteWith(make: (services: SchemeServices, cookie: CookieScheme) => RemoteScheme, cookie: CookieSessionConfig = {}): TestSite {
  const clock = new ShiftedClock();
  const log = new RecordedEvents();
  const services = servicesOf(clock, log);
  const sessions = new CookieScheme("cookies", { keys: { secrets: [secret] }, ...cookie }, services);
  const schemes = [make(services, sessions), sessions];
  return { clock, log, schemes, browser: () => new TestBrowser(siteOf(schemes)) };
}

export function openIdConnect(issuer: string, config: Partial<OpenIdConnectConfig> = {}, name = "oidc") {
  return (services: SchemeServices, cookie: CookieScheme): RemoteScheme => {
    const all: OpenIdConnectConfig = { authority: issuer, clientId, clientSecret, publicOrigin, ...config };
    return new RemoteScheme(name, all, { protocol: new OpenIdConnectProtocol(name, all, services), cookie, services });
  };
}

export function oauth2(issuer: string, config: Partial<OAuth2Config> = {}) {
  return (services: SchemeServices, cookie: CookieScheme): RemoteScheme => {
    const all: OAuth2Config = {
      authorizationEndpoint: `${issuer}/auth`, tokenEndpoint: `${issuer}/token`, userInformationEndpoint: `${issuer}/me`, clientId, clientSecret, publicOrigin, ...config,
    };
    return new RemoteScheme("hub", all, { protocol: new OAuth2Protocol(all, services), cookie, services });
  };
}
