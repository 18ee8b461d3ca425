export type { BodySource, BodySink, ByteSink } from "./body.ts";
export { bytesBody } from "./bytes-body.ts";
export type {
  Exchange,
  ExchangeFeatures,
  ExchangeHandler,
  HttpVersion,
  RequestHead,
  ConnectionInfo,
  TlsInfo,
  ResponseHead,
  ResponseSink,
  UpgradeFeature,
  Tunnel,
  HeldConnection,
  RequestDelegation,
  DelegationRule,
  BodyLimitFeature,
  BodyRateFeature,
  ClientCertificateFeature,
} from "./exchange.ts";
export type {
  DestinationClient,
  HttpClient,
  HttpClientOptions,
  DestinationOrigin,
  DestinationTlsOptions,
  TlsVersion,
  WebProxyOptions,
  DestinationRequest,
  VersionPolicy,
  DestinationHandler,
  DestinationCall,
  DestinationErrorStep,
  DestinationErrorOptions,
} from "./destination-client.ts";
export { BoundedBody, bodyTooLarge } from "./bounded-body.ts";
export { clientAddressOf } from "./exchange.ts";
export { nextConnectionId } from "./node/connection-info.ts";
export { Completion } from "./completion.ts";
export type { CompletionListener } from "./completion.ts";
export { DestinationError } from "./destination-client.ts";
export { HeaderList } from "./header-list.ts";
export { headerKey } from "./header-name.ts";
export { BadRequestError, ClientGoneError, ExchangeStateError } from "./errors.ts";
export { ConnectionBudget } from "./connection-budget.ts";
export type { FrontServer, FrontServerOptions, ListenAddress } from "./front-server.ts";
export type { ProxyProtocolOptions } from "./proxy-protocol/proxy-protocol-gate.ts";
export { ProxyHeaderError } from "./proxy-protocol/proxy-header.ts";
export { defaultServerLimits } from "./server-limits.ts";
export type { ServerLimits, MinDataRate } from "./server-limits.ts";
export { hasListElement, isHeaderName, isHeaderValue, isMethod, isReasonPhrase, isToken, listElements } from "./field-grammar.ts";
export { isAuthority, portColon } from "./authority.ts";
export { isQuery, normalizePath } from "./normalize-path.ts";
export { parseRequestTarget } from "./request-target.ts";
export type { InvalidRequestTarget, RequestTarget, RequestTargetForm } from "./request-target.ts";
export { reasonPhrase } from "./reason-phrase.ts";
export { createEngineClient } from "./engine/client/engine-client.ts";
export type { EngineClientOptions } from "./engine/client/engine-client.ts";
export { createVersionedClient } from "./engine/http2/client/versioned-client.ts";
export { createNodeServer } from "./node/node-server.ts";
export { exchangeFromNode, exchangeFromUpgrade } from "./node/exchange-from-node.ts";
export type { ExchangeFromNodeOptions } from "./node/exchange-from-node.ts";
export { SocketTunnel } from "./node/socket-tunnel.ts";
export { createEngineServer } from "./engine/server/engine-server.ts";
export type { AdoptingServer, EngineServerOptions } from "./engine/server/engine-server.ts";
export { ChunkedDecoder } from "./engine/chunked-decoder.ts";
export type { AdoptedConnection, ConnectionLender, GiveBackOutcome } from "./engine/server/connection-lender.ts";
export { fileDescriptorOf, restartHandle, stopHandle } from "./engine/server/held-connection.ts";
export { createHttp2Server } from "./engine/http2/http2-server.ts";
export type { Http2ServerOptions } from "./engine/http2/http2-server.ts";
export type { Http2SessionsOptions } from "./engine/http2/http2-sessions.ts";
export { createTlsServer } from "./tls/tls-server.ts";
export type { TlsServerOptions } from "./tls/tls-server.ts";
export { withHeaderEncodings } from "./header-encoding.ts";
export type { HeaderEncoding, HeaderEncodings } from "./header-encoding.ts";
export { DestinationTls } from "./tls/destination-tls.ts";
export { checkCertificates, FrontTls } from "./tls/front-tls.ts";
export type { FrontTlsOptions, FrontTlsSettings } from "./tls/front-tls.ts";
export { certificateExpiry, TlsCertificateError } from "./tls/certificate.ts";
export type { TlsCertificate } from "./tls/certificate.ts";
export { serverNameFault } from "./tls/server-name-table.ts";
export { defaultWatchInterval, watchFiles } from "./watch-files.ts";
