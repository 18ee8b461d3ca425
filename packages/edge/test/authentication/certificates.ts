/** Certificates made by openssl, in a folder of their own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";

export interface CertificateOptions {
  /** As openssl writes it: `/C=DE/O=Example/CN=ann`. */
  readonly subject: string;
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  /** `20260101000000Z`. */
  readonly from?: string;
  readonly until?: string;
  readonly digest?: string;
  /** Whether an authority with an RSA key signs by RSA-PSS. */
  readonly pss?: boolean;
}

/** One authority, whose certificates are good from 2025 to 2027 unless said otherwise. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), "ca-"));
  readonly file = join(this.folder, "ca.pem");
  readonly #config = join(this.folder, "ca.cnf");
  #count = 0;

  constructor(subject = "/O=Example/CN=Test authority", key: readonly string[] = newKey) {
    writeFileSync(join(this.folder, "index.txt"), "");
    writeFileSync(join(this.folder, "index.txt.attr"), "unique_subject = no\n");
    writeFileSync(
      this.#config,
      `[ca]\ndefault_ca = own\n[own]\ndir = ${this.folder}\ndatabase = $dir/index.txt\nnew_certs_dir = $dir\ncertificate = $dir/ca.pem\nprivate_key = $dir/ca.key\nrand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = none\n[any]\ncountryName = optional\norganizationName = optional\ncommonName = optional\n[req]\ndistinguished_name = dn\n[dn]\n`,
    );
    writeFileSync(this.#path("ca.ext"), "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n");
    this.#openssl("req", ...key, "-keyout", this.#path("ca.key"), "-out", this.#path("ca.csr"), "-subj", subject, "-config", this.#config);
    this.#openssl("ca", "-selfsign", "-batch", "-notext", "-preserveDN", "-config", this.#config, "-in", this.#path("ca.csr"), "-out", this.file, "-extfile", this.#path("ca.ext"), "-startdate", "20250101000000Z", "-enddate", "20350101000000Z");
  }

  /** Gives the path of a new certificate; its key stands beside it with the ending `.key`. */
  issue({ subject, extensions = [], from = "20250101000000Z", until = "20270101000000Z", digest = "sha256", pss = false }: CertificateOptions): string {
    const name = this.#path(`cert-${this.#count++}`);
    writeFileSync(`${name}.ext`, ["basicConstraints=CA:false", ...extensions].join("\n"));
    this.#openssl("req", ...newKey, "-keyout", `${name}.pem.key`, "-out", `${name}.csr`, "-subj", subject, "-config", this.#config);
    this.#openssl("ca", "-batch", "-notext", "-preserveDN", "-config", this.#config, "-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`, "-startdate", from, "-enddate", until, "-md", digest, ...(pss ? ["-sigopt", "rsa_padding_mode:pss"] : []));
    return `${name}.pem`;
  }

  revoke(certificate: string): void {
    this.#openssl("ca", "-config", this.#config, "-revoke", certificate);
  }

  /** Writes a revocation list that is good from 2025 to `until`. */
  writeList(path: string, until = "20270101000000Z", format: "PEM" | "DER" = "PEM"): void {
    this.#openssl("ca", "-config", this.#config, "-gencrl", "-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", until, "-out", this.#path("list.pem"));
    this.#openssl("crl", "-in", this.#path("list.pem"), "-outform", format, "-out", path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  }
}

export const newRsaKey = ["-newkey", "rsa:2048", "-nodes"] as const;
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] as const;

export function derOf(path: string): Buffer {
  return new X509Certificate(readFileSync(path)).raw;
}
