/**
 * The schemes of a proxy over reloads: one whose configuration did not change stays, with the keys and tokens that it knows. Those that come begin
 * (`start`) when the configuration is in force, those that go end (`close`) then.
 */
import { ConfigError, type AuthenticationSchemeConfig, type ConfigIssue } from "@proxy/config";
import type { Exchange, ExchangeHandler } from "@proxy/http";
import { answerMethodNotAllowed } from "../exchange/answers.ts";
import type { AuthenticationScheme, SchemeEndpoint, SchemeServices } from "./scheme.ts";
import type { SchemeKind, SchemeSection } from "./scheme-kind.ts";
import { schemeKinds } from "./scheme-kinds.ts";

export interface PreparedSchemes {
  readonly all: readonly AuthenticationScheme[];
  /** Those of which the credentials are to be seen nowhere else. */
  readonly hiding: readonly AuthenticationScheme[];
  /** By name, ignoring case. */
  get(name: string): AuthenticationScheme | undefined;
  readonly endpoints: ReadonlyMap<string, ExchangeHandler>;
  commit(): void;
  discard(): void;
}

/** Those that do not follow from the schemes there are. */
type GivenServices = Omit<SchemeServices, "scheme" | "withoutOwnCredentials">;

/** Makes a scheme of the application's own. */
export type SchemeFactory = (services: SchemeServices) => AuthenticationScheme;

interface Held {
  readonly key: string;
  readonly scheme: AuthenticationScheme;
}

export class Schemes {
  readonly #services: GivenServices;
  readonly #own: readonly AuthenticationScheme[];
  #held: ReadonlyMap<string, Held> = new Map();
  /** Of the last commit. */
  #current: PreparedSchemes | undefined;
  #isStarted = false;

  constructor(factories: readonly SchemeFactory[], services: GivenServices) {
    this.#services = services;
    this.#own = factories.map((make) => make(this.#given()));
    const names = this.#own.map(({ name }) => name.toLowerCase());
    const twice = names.find((name, index) => names.indexOf(name) !== index || name === "" || name.includes(":"));
    if (twice !== undefined) throw new TypeError(`'${twice}' is no name for a scheme of authentication, or stands twice`);
  }

  /** Names of those that come from code. */
  get names(): readonly string[] {
    return this.#own.map(({ name }) => name);
  }

  issues(configs: readonly AuthenticationSchemeConfig[]): readonly ConfigIssue[] {
    const own = new Set(this.#own.map(({ name }) => name.toLowerCase()));
    return configs.flatMap((config): ConfigIssue[] => {
      const path = ["Policies", "Authentication", config.name];
      if (own.has(config.name.toLowerCase())) {
        return [{ code: "policy-duplicate", severity: "error", message: `the scheme '${config.name}' comes from code too`, path }];
      }
      const kind = kindOf(config);
      const faults = kind?.faults(configs, this.#services) ?? [];
      return faults.map(({ path: member, message, hint }) => ({
        code: "authentication", severity: "error", message: `${message} (scheme '${config.name}')`, hint, path: [...path, kind?.section ?? "", ...member],
      }));
    });
  }

  compile(configs: readonly AuthenticationSchemeConfig[]): PreparedSchemes {
    const next = new Map<string, Held>();
    const made: AuthenticationScheme[] = [];
    const discard = (): void => {
      for (const scheme of made) scheme.close?.();
    };
    try {
      for (const config of configs) {
        const name = config.name.toLowerCase();
        const key = JSON.stringify(config);
        const known = this.#held.get(name);
        if (known?.key === key) next.set(name, known);
        else {
          const scheme = kindOf(config)?.create(this.#given());
          if (scheme === undefined) continue;
          made.push(scheme);
          next.set(name, { key, scheme });
        }
      }
      const all = [...[...next.values()].map(({ scheme }) => scheme), ...this.#own];
      const byName = new Map(all.map((scheme) => [scheme.name.toLowerCase(), scheme]));
      const prepared: PreparedSchemes = {
        all,
        hiding: all.filter(({ hidesCredentialsEverywhere }) => hidesCredentialsEverywhere === true),
        get: (name) => byName.get(name.toLowerCase()),
        endpoints: endpointsOf(all),
        commit: () => {
          for (const [name, { scheme }] of this.#held) if (next.get(name)?.scheme !== scheme) scheme.close?.();
          this.#held = next;
          this.#current = prepared;
          if (!this.#isStarted) for (const scheme of this.#own) scheme.start?.();
          this.#isStarted = true;
          for (const scheme of made) scheme.start?.();
        },
        discard,
      };
      return prepared;
    } catch (error) {
      discard();
      throw error;
    }
  }

  close(): void {
    for (const { scheme } of this.#held.values()) scheme.close?.();
    for (const scheme of this.#own) scheme.close?.();
  }

  #given(): SchemeServices {
    return {
      ...this.#services,
      withoutOwnCredentials: (request) => (this.#current?.hiding ?? []).reduce((head, scheme) => scheme.withoutCredentials?.(head) ?? head, request),
      scheme: (name) => this.#current?.get(name),
    };
  }
}

/** The kind of a scheme, bound to its section. */
function kindOf(config: AuthenticationSchemeConfig): BoundKind | undefined {
  for (const section of Object.keys(config).filter((member) => member !== "name") as SchemeSection[]) if (config[section] !== undefined) return bound(config, section);
  return undefined;
}

interface BoundKind {
  /** As files spell it. */
  readonly section: string;
  faults: (configs: readonly AuthenticationSchemeConfig[], services: Pick<SchemeServices, "trusts">) => ReturnType<NonNullable<SchemeKind["faults"]>>;
  create: (services: SchemeServices) => AuthenticationScheme;
}

function bound<S extends SchemeSection>(config: AuthenticationSchemeConfig, section: S): BoundKind {
  const kind = schemeKinds[section] as SchemeKind<S>;
  const own = config[section] as NonNullable<AuthenticationSchemeConfig[S]>;
  return {
    section: section.charAt(0).toUpperCase() + section.slice(1),
    faults: (configs, services) => kind.faults?.(own, configs, services) ?? [],
    create: (services) => kind.create(config.name, own, services),
  };
}

function endpointsOf(schemes: readonly AuthenticationScheme[]): ReadonlyMap<string, ExchangeHandler> {
  const handlers = new Map<string, ExchangeHandler>();
  for (const { name, endpoints = [] } of schemes) {
    for (const endpoint of endpoints) {
      if (handlers.has(endpoint.path)) {
        const message = `two schemes answer at '${endpoint.path}'`;
        throw new ConfigError(message, [{ code: "authentication", severity: "error", message, hint: "give one of them another path", path: ["Policies", "Authentication", name] }]);
      }
      handlers.set(endpoint.path, handlerOf(endpoint));
    }
  }
  return handlers;
}

function handlerOf(endpoint: SchemeEndpoint): ExchangeHandler {
  const methods = new Set(endpoint.methods);
  const allow = endpoint.methods.join(", ");
  return (exchange: Exchange) => {
    if (!methods.has(exchange.request.method)) return answerMethodNotAllowed(exchange, allow);
    return endpoint.handle(exchange);
  };
}
