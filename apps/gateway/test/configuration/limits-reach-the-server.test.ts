import { decodeGatewayFile } from "@proxy/config/schema";
import { defaultServerLimits } from "@proxy/http";
import { expect, test } from "vitest";
import { hostSettingsOf } from "../../src/configuration/host-settings.ts";

const key = (member: string): string => member.charAt(0).toUpperCase() + member.slice(1);

async function limitsOf(Limits: object): Promise<object> {
  const { config } = await decodeGatewayFile(JSON.stringify({ Server: { Limits }, ReverseProxy: {} }), { strict: true });
  return hostSettingsOf(config, {}).limits;
}

test("every limit of a server has a key, and its value reaches the server", async () => {
  const wanted = Object.fromEntries(
    Object.keys(defaultServerLimits).map((name, index) => [
      name,
      name.endsWith("DataRate") ? { bytesPerSecond: 100 + index, gracePeriod: 2000 } : 1000 * (index + 1),
    ]),
  );
  const given = Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => {
      if (typeof value === "object") return [key(name), { BytesPerSecond: value.bytesPerSecond, GracePeriod: "2s" }];
      return [key(name), name.endsWith("Timeout") ? `${value}ms` : value];
    }),
  );
  expect(await limitsOf(given)).toEqual(wanted);
});

test("what is not said has the server's default", async () => {
  expect(await limitsOf({})).toEqual(defaultServerLimits);
});
