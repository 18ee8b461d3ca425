export { decodeGatewayFile } from "./decode-gateway-file.ts";
export type { DecodeFileOptions, LoadedGatewayConfig } from "./decode-gateway-file.ts";
export { loadGatewayConfig, loadGatewayConfigEffect } from "./load-gateway-config.ts";
export { fileProvider } from "./file-provider.ts";
export type { FileProviderOptions } from "./file-provider.ts";
export type { Environment } from "./environment.ts";
export type { TextFormat } from "./parse-source.ts";
