import { createKeyRing } from "@proxy/cluster";
import { fileProvider } from "@proxy/config/schema";
import { createEdgePolicies } from "@proxy/edge";
import { createEngineServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";

// builder.Services.AddReverseProxy().LoadFromConfig(…); app.MapReverseProxy();
export async function host(file: string, port: number, secret: string) {
  const proxy = await createReverseProxy({
    config: fileProvider(file, { env: process.env }),
    extensions: [createEdgePolicies()],
    affinityKeys: createKeyRing({ secrets: [secret] }),
  });
  const server = createEngineServer({ handler: proxy.handle });
  const address = await server.listen({ host: "127.0.0.1", port });
  return { proxy, server, port: address.port };
}
