import { isIP } from "node:net";
import { resolve } from "node:path";
import { serverNameFault } from "@proxy/http";
import { createDevelopmentCertificate } from "../dev-cert/development-certificate.ts";
import { FileExistsError, writeFiles } from "../dev-cert/write-files.ts";
import type { Output } from "./command-line.ts";
import { exitCode } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { DevCertInvocation } from "./invocation.ts";

/** Names that every development certificate is for. */
const loopback = ["localhost", "127.0.0.1", "::1"];

/** Writes a self-signed certificate for this machine and its key, and says how to use and to trust it. */
export async function devCert(invocation: DevCertInvocation, output: Output): Promise<ExitCode> {
  const stranger = invocation.hosts.find((name) => name === "*" || (isIP(name) === 0 && serverNameFault(name) !== undefined));
  if (stranger !== undefined) {
    output.error(`gateway: --host '${stranger}' is neither a host name nor an IP address\n`);
    return exitCode.usage;
  }
  const names = [...new Set([...loopback, ...invocation.hosts])];
  const made = await createDevelopmentCertificate({ names, days: invocation.days });
  const certificate = resolve(invocation.certificate);
  const key = resolve(invocation.key);
  try {
    await writeFiles(
      [
        { path: key, text: made.key, mode: 0o600 },
        { path: certificate, text: made.certificate, mode: 0o644 },
      ],
      invocation.force,
    );
  } catch (error) {
    const { code, message, path = "" } = error as NodeJS.ErrnoException;
    output.error(`gateway: ${error instanceof FileExistsError ? message : `${path} cannot be written (${code ?? message})`}\n`);
    return exitCode.failed;
  }
  output.out(advice({ certificate, key, names, until: made.notAfter, fingerprint: made.fingerprint }));
  return exitCode.ok;
}

interface Facts {
  readonly certificate: string;
  readonly key: string;
  readonly names: readonly string[];
  readonly until: Date;
  readonly fingerprint: string;
}

function advice({ certificate, key, names, until, fingerprint }: Facts): string {
  const endpoint = { Url: "https://localhost:8443", Certificate: { Path: certificate, KeyPath: key } };
  const configuration = JSON.stringify({ Server: { Endpoints: { Https: endpoint } } }, undefined, 2);
  return `${certificate}: certificate for ${names.join(", ")}, valid until ${until.toISOString().slice(0, 10)}
${key}: its private key, for your eyes only
SHA-256 ${fingerprint}

To serve with it, in the configuration:

${configuration}

To trust it (on machines of developers only; it can sign no other certificate):

  curl              curl --cacert '${certificate}' https://localhost:8443/
  Node.js           NODE_EXTRA_CA_CERTS='${certificate}' node …
  Debian, Ubuntu    sudo cp '${certificate}' /usr/local/share/ca-certificates/gateway-dev.crt && sudo update-ca-certificates
  Fedora, RHEL      sudo trust anchor '${certificate}'
  Chromium, Linux   certutil -d sql:$HOME/.pki/nssdb -A -t P,, -n gateway-dev -i '${certificate}'
  macOS             security add-trusted-cert -k ~/Library/Keychains/login.keychain-db '${certificate}'
  Windows           certutil -user -addstore Root "${certificate}"
`;
}
