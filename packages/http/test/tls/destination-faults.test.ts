import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { destinationFault, destinationFaults, refusesClientCertificate } from "../../src/tls/destination-fault.ts";

const manual = readFileSync(new URL("../../../../docs/destinations.md", import.meta.url), "utf8");
const withCode = (code: string, message = "m"): Error => Object.assign(new Error(message), { code });

describe("why a destination cannot be reached", () => {
  it.each([...new Set(destinationFaults.values())])("the manual knows '%s'", (words) => {
    expect(manual).toContain(`| ${words} |`);
  });

  it.each([
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "it wants a client certificate"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "it does not accept the client certificate"],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "it does not accept the client certificate"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "it does not accept the client certificate"],
  ])("%s: %s, which the manual knows", (code, words) => {
    expect([destinationFault(withCode(code)), refusesClientCertificate(withCode(code))]).toEqual([words, true]);
    expect(manual).toContain(`| ${words} |`);
  });

  it("is left to the error's own words where there are no better ones", () => {
    expect([destinationFault(withCode("ECONNREFUSED")), refusesClientCertificate(new Error("plain"))]).toEqual([undefined, false]);
    expect(destinationFault(withCode("ECONNRESET", "read ECONNRESET"))).toBeUndefined();
  });
});
