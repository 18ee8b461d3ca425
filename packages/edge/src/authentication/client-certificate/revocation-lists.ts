/**
 * Lists of certificates that are good no more (CRL, RFC 5280, 5). One counts when an authority signed it; one that has run out counts as none. They are read
 * again when their files change; where that fails, those of before stay, until they run out.
 */
import { readFileSync } from "node:fs";
import type { X509Certificate } from "node:crypto";
import type { X509Certificate as ParsedCertificate, X509Crl } from "@peculiar/x509";
import { watchFiles } from "@proxy/http";
import type { ProxyLogger } from "@proxy/pipeline";
import { x509 } from "./x509.ts";

interface RevocationList {
  /** Thumbprint of the authority that signed it. */
  readonly authority: string;
  readonly serials: ReadonlySet<string>;
  readonly from: number;
  readonly until: number;
}

/** A list that is only a part of one, or speaks for others, is read wrongly as a whole. */
const partial: ReadonlySet<string> = new Set(["2.5.29.27", "2.5.29.28"]);

/** The lists in a file, unverified. Throws for what is none. */
export function readLists(path: string): readonly X509Crl[] {
  const bytes = readFileSync(path);
  const text = bytes.toString("latin1");
  const blocks = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  const lists = (blocks ?? [new Uint8Array(bytes)]).map((each) => new (x509().X509Crl)(each));
  for (const { extensions } of lists) {
    if (extensions.some(({ type, critical }) => partial.has(type) || (critical && type !== "2.5.29.20" && type !== "2.5.29.35"))) throw new Error("it holds only a part of what an authority took back");
  }
  return lists;
}

export type Revocation = "good" | "revoked" | "unknown";

export class RevocationLists {
  readonly #paths: readonly string[];
  readonly #authorities: () => readonly X509Certificate[];
  readonly #log: ProxyLogger;
  readonly #scheme: string;
  readonly #changed: () => void;
  #lists: readonly RevocationList[] = [];
  #reading: Promise<void>;
  #isRead = false;
  #stop: (() => void) | undefined;

  constructor(scheme: string, paths: readonly string[], authorities: () => readonly X509Certificate[], log: ProxyLogger, changed: () => void) {
    this.#scheme = scheme;
    this.#paths = paths;
    this.#authorities = authorities;
    this.#log = log;
    this.#changed = changed;
    this.#reading = this.#read();
  }

  start(): void {
    this.#stop = watchFiles(this.#paths, () => this.readAgain());
  }

  readAgain(): void {
    this.#reading = this.#reading.then(() => this.#read());
  }

  close(): void {
    this.#stop?.();
  }

  /** Undefined once they were read for the first time; never rejects. */
  get ready(): Promise<void> | undefined {
    return this.#isRead ? undefined : this.#reading;
  }

  /** Whether `authority` took the certificate of that serial back. Unknown: it has no list that counts now. */
  check(authority: X509Certificate, serial: string, now: number): { readonly result: Revocation; readonly until: number } {
    const lists = this.#lists.filter(({ authority: signed, from, until }) => signed === authority.fingerprint256 && from <= now && now < until);
    if (lists.some(({ serials }) => serials.has(serial))) return { result: "revoked", until: now };
    return lists.length === 0 ? { result: "unknown", until: now } : { result: "good", until: Math.min(...lists.map(({ until }) => until)) };
  }

  async #read(): Promise<void> {
    try {
      const lists = await Promise.all(this.#paths.flatMap(readLists).map((list) => this.#verified(list)));
      this.#lists = lists;
      this.#changed();
      this.#log.event("info", "revocation-lists-read", { scheme: this.#scheme, revoked: lists.reduce((sum, { serials }) => sum + serials.size, 0) });
    } catch (error) {
      this.#log.event("error", "revocation-lists-unusable", { scheme: this.#scheme, error });
    } finally {
      this.#isRead = true;
    }
  }

  async #verified(list: X509Crl): Promise<RevocationList> {
    for (const authority of this.#authorities()) {
      const certificate = new (x509().X509Certificate)(new Uint8Array(authority.raw));
      if (certificate.subject !== list.issuer || !mayRevoke(certificate) || !(await list.verify({ publicKey: certificate.publicKey }))) continue;
      return {
        authority: authority.fingerprint256,
        serials: new Set(list.entries.map(({ serialNumber }) => serialNumber)),
        from: list.thisUpdate.getTime(),
        until: list.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY,
      };
    }
    throw new Error(`none of the authorities signed the list of '${list.issuer}'`);
  }
}

function mayRevoke(authority: ParsedCertificate): boolean {
  const usages = authority.getExtension(x509().KeyUsagesExtension)?.usages;
  return usages === undefined || (usages & x509().KeyUsageFlags.cRLSign) !== 0;
}
