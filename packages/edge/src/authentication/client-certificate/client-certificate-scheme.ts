/**
 * Certificates that clients show:
 *
 * 1. That of the connection; where the peer is a trusted proxy and a field is named for it, that of the field. Nobody else's field is looked at, and none is
 *    forwarded.
 * 2. It is valid now, for clients, and one of `Authorities` issued it. Without these the endpoint must have found it good, or it is pinned by its thumbprint.
 * 3. Its issuer did not take it back, by a revocation list that counts now. Where there is none it is not known: 503.
 * 4. It is one that the rules name.
 */
import type { X509Certificate } from "node:crypto";
import { createHash } from "node:crypto";
import type { ClientCertificateConfig } from "@proxy/config";
import { watchFiles, type Exchange } from "@proxy/http";
import type { AuthenticationResult, AuthenticationScheme, Challenge, Identity, SchemeServices } from "../scheme.ts";
import type { SchemeFault, SchemeKind } from "../scheme-kind.ts";
import { issuerOf, readAuthorities } from "./authorities.ts";
import { commonName, normalName, readCertificate, type Certificate } from "./certificate.ts";
import { certificateIn } from "./certificate-header.ts";
import { readLists, RevocationLists } from "./revocation-lists.ts";

export const clientCertificateKind: SchemeKind<"clientCertificate"> = {
  section: "clientCertificate",
  faults({ authorities, revocationLists = [], subjects = [] }) {
    const tried = (path: SchemeFault["path"], run: () => unknown): readonly SchemeFault[] => {
      try {
        run();
        return [];
      } catch (error) {
        const { code, path: file, message } = error as NodeJS.ErrnoException;
        if (code === "ENOENT") return [{ path, message: `${path.join(".")} cannot be used: there is no file '${file}'`, hint: "make it first; relative paths begin at the folder of the configuration file" }];
        return [{ path, message: `${path.join(".")} cannot be used: ${message}` }];
      }
    };
    return [
      ...(authorities ? tried(["Authorities"], () => readAuthorities(authorities)) : []),
      ...revocationLists.flatMap((list, index) => tried(["RevocationLists", index], () => readLists(list))),
      ...(revocationLists.length > 0 && !authorities ? [{ path: ["RevocationLists"], message: "RevocationLists need Authorities: somebody has to have signed them" }] : []),
      // What is no name at all the configuration's own rules say.
      ...subjects.flatMap((subject, index) => (/^[A-Za-z0-9.]+=./.test(subject) ? tried(["Subjects", index], () => normalName(subject)) : [])),
    ];
  },
  create: (name, config, services) => new ClientCertificateScheme(name, config, services),
};

const none: AuthenticationResult = { kind: "none" };
const clientAuth = "1.3.6.1.5.5.7.3.2";
const anyUsage = "2.5.29.37.0";
/** Certificates that were checked, with what came of it. */
const mostKept = 1000;

interface Kept {
  readonly result: AuthenticationResult;
  readonly from: number;
  readonly until: number;
}

class ClientCertificateScheme implements AuthenticationScheme {
  readonly name: string;
  readonly forwardedFields: readonly string[];
  readonly #config: ClientCertificateConfig;
  readonly #services: SchemeServices;
  #authorities: readonly X509Certificate[] | undefined;
  #stop: (() => void) | undefined;
  readonly #lists: RevocationLists | undefined;
  readonly #header: string | undefined;
  readonly #thumbprints: ReadonlySet<string> | undefined;
  readonly #subjects: ReadonlySet<string> | undefined;
  readonly #names: ReadonlySet<string> | undefined;
  readonly #kept = new Map<string, Kept>();

  constructor(name: string, config: ClientCertificateConfig, services: SchemeServices) {
    this.name = name;
    this.#config = config;
    this.#services = services;
    this.#header = config.header ? config.header.toLowerCase() : undefined;
    this.forwardedFields = this.#header === undefined ? [] : [this.#header];
    this.#authorities = config.authorities ? readAuthorities(config.authorities) : undefined;
    const lists = config.revocationLists ?? [];
    this.#lists = lists.length === 0 ? undefined : new RevocationLists(name, lists, () => this.#authorities ?? [], services.log, () => this.#kept.clear());
    this.#thumbprints = ruleSet(config.thumbprints, (text) => text.replaceAll(":", "").toLowerCase());
    this.#subjects = ruleSet(config.subjects, normalName);
    this.#names = ruleSet(config.alternativeNames, (text) => (text.startsWith("DNS:") ? `DNS:${text.slice(4).toLowerCase()}` : text));
  }

  start(): void {
    this.#lists?.start();
    const { authorities } = this.#config;
    if (authorities) this.#stop = watchFiles([authorities], () => this.#readAgain(authorities));
  }

  close(): void {
    this.#lists?.close();
    this.#stop?.();
  }

  /** What cannot be used changes nothing. */
  #readAgain(path: string): void {
    const { log } = this.#services;
    try {
      this.#authorities = readAuthorities(path);
      this.#kept.clear();
      // Those of a new authority count from now on.
      this.#lists?.readAgain();
      log.event("info", "authorities-read", { scheme: this.name, authorities: this.#authorities.length });
    } catch (error) {
      log.event("error", "authorities-unusable", { scheme: this.name, error });
    }
  }

  authenticate(exchange: Exchange): AuthenticationResult | Promise<AuthenticationResult> {
    const { connection, request } = exchange;
    if (this.#header !== undefined && this.#services.trusts(connection.remoteAddress)) {
      const values = request.headers.getAll(this.#header);
      if (values.length === 0 || values[0] === "") return none;
      const der = values.length === 1 ? certificateIn(values[0] ?? "", this.#config.headerFormat ?? "Base64Der") : undefined;
      return der === undefined ? failed("the certificate in the field cannot be read") : this.#check(der, false);
    }
    const { tls } = connection;
    if (tls?.clientCertificate !== undefined) return this.#check(tls.clientCertificate, tls.clientCertificateAuthorized);
    const feature = exchange.features.clientCertificate;
    if (feature === undefined) return none;
    return new Promise((resolve) => {
      feature.receive((certificate) => resolve(certificate === undefined ? none : this.#check(certificate, connection.tls?.clientCertificateAuthorized === true)));
    });
  }

  challenge(): Challenge {
    return { kind: "none" };
  }

  #check(der: Uint8Array, isAuthorized: boolean): AuthenticationResult | Promise<AuthenticationResult> {
    const pending = this.#lists?.ready;
    if (pending !== undefined) return pending.then(() => this.#check(der, isAuthorized));
    const now = this.#services.clock.date();
    const key = `${isAuthorized ? "+" : "-"}${createHash("sha256").update(der).digest("base64url")}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.from <= now && now < kept.until) return kept.result;
    const fresh = this.#judge(der, isAuthorized, now);
    if (fresh.until > now) {
      if (this.#kept.size >= mostKept) this.#kept.delete(this.#kept.keys().next().value ?? "");
      this.#kept.set(key, fresh);
    }
    return fresh.result;
  }

  #judge(der: Uint8Array, isAuthorized: boolean, now: number): Kept {
    const refused = (reason: string): Kept => ({ result: failed(reason), from: now, until: now });
    let certificate: Certificate;
    try {
      certificate = readCertificate(der);
    } catch {
      return refused("the certificate cannot be read");
    }
    const { node, from, until, thumbprint } = certificate;
    if (now < from || now >= until) return refused("the certificate is not valid now");
    if (certificate.hasUnknownExtension) return refused("the certificate has an extension that is not known");
    if (node.ca) return refused("the certificate is that of an authority");
    const usages = node.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && !usages.includes(clientAuth) && !usages.includes(anyUsage)) return refused("the certificate is not for clients");
    let end = until;
    if (this.#authorities !== undefined) {
      const issuer = issuerOf(certificate, this.#authorities, now);
      if (issuer === undefined) return refused("nobody vouches for the certificate");
      end = Math.min(end, issuer.validToDate.getTime());
      const revocation = this.#lists?.check(issuer, certificate.serial, now);
      if (revocation?.result === "revoked") return refused("the certificate was taken back");
      if (revocation?.result === "unknown") return { result: { kind: "unavailable", reason: "there is no current revocation list", retryAfter: 60 }, from: now, until: now };
      end = Math.min(end, revocation?.until ?? end);
    } else if (!isAuthorized && this.#thumbprints?.has(thumbprint) !== true) return refused("nobody vouches for the certificate");
    if (!this.#isNamed(certificate)) return refused("the certificate is not among those that may pass");
    return { result: { kind: "authenticated", identity: this.#identity(certificate) }, from, until: end };
  }

  #isNamed({ thumbprint, subject, commonNames, alternativeNames }: Certificate): boolean {
    if (this.#thumbprints?.has(thumbprint) === false) return false;
    // A common name counts where it is the only one.
    const subjects = this.#subjects;
    if (subjects !== undefined && !subjects.has(subject) && !(commonNames.length === 1 && subjects.has(commonName(commonNames[0] ?? "")))) return false;
    return this.#names === undefined || alternativeNames.some((name) => this.#names?.has(name));
  }

  #identity({ thumbprint, serial, subject, issuer, commonNames, alternativeNames, until }: Certificate): Identity {
    const claims = new Map<string, readonly string[]>([["subject", [subject]], ["issuer", [issuer]], ["serial", [serial]], ["thumbprint", [thumbprint]]]);
    if (commonNames.length > 0) claims.set("cn", commonNames);
    for (const [kind, names] of Map.groupBy(alternativeNames, (name) => name.slice(0, name.indexOf(":")).toLowerCase())) {
      claims.set(kind, names.map((name) => name.slice(kind.length + 1)));
    }
    return { scheme: this.name, name: subject === "" ? (alternativeNames[0] ?? thumbprint) : subject, claims, expiresAt: until };
  }
}

function ruleSet(rules: readonly string[] | undefined, normal: (text: string) => string): ReadonlySet<string> | undefined {
  return rules === undefined ? undefined : new Set(rules.map(normal));
}

function failed(reason: string): AuthenticationResult {
  return { kind: "failed", reason };
}
