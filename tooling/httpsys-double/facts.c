/*
 * What the double cannot have of itself: TLS, HTTP/2 and HTTP/3. A connection that begins with a line such as
 *   HTTPSIM http=2 tls=0x2000 cipher=0x6610:256 sni=a.test cert=3001.. later=3001.. slow=1 mapped=1
 * counts as one with these facts (all of them optional; `later`: a certificate that the client gives when it is asked, with `slow` not
 * before it sends a byte more; with `mapped` it comes with the token of an account), and goes on in HTTP/1.1. Responses to HTTP/2 and HTTP/3 of no stated length go out in chunks, with their trailers.
 */
#include "double.h"

static void readBytes(const char *from, size_t digits, Bytes *to) {
  to->data = malloc(digits / 2 + 1);
  to->size = digits / 2;
  for (size_t i = 0; i < to->size; i++) {
    unsigned value = 0;
    sscanf(from + i * 2, "%2x", &value);
    to->data[i] = (unsigned char)value;
  }
}

/* 1 when there was no such line, or all of it; 0 when more input is needed. */
int takeFacts(Conn *conn) {
  static const char mark[] = "HTTPSIM ";
  size_t known = conn->inLength < strlen(mark) ? conn->inLength : strlen(mark);
  if (conn->facts.told || known == 0 || memcmp(conn->in, mark, known)) return 1;
  char *end = memmem(conn->in, conn->inLength, "\r\n", 2);
  if (!end) return 0;
  Facts *facts = &conn->facts;
  facts->told = 1;
  *end = 0;
  char *rest, *word = strtok_r(conn->in + strlen(mark), " ", &rest);
  for (; word; word = strtok_r(NULL, " ", &rest)) {
    char *value = strchr(word, '=');
    if (!value) continue;
    *value++ = 0;
    if (!strcmp(word, "http")) facts->version = atoi(value);
    else if (!strcmp(word, "tls")) { facts->secure = 1; facts->protocol = (uint32_t)strtoul(value, NULL, 0); }
    else if (!strcmp(word, "slow")) facts->slow = 1;
    else if (!strcmp(word, "mapped")) facts->mapped = 1;
    else if (!strcmp(word, "sni")) snprintf(facts->sni, sizeof facts->sni, "%s", value);
    else if (!strcmp(word, "cert")) readBytes(value, strlen(value), &facts->cert);
    else if (!strcmp(word, "later")) readBytes(value, strlen(value), &facts->later);
    else if (!strcmp(word, "cipher")) { char *colon; facts->cipher = (uint32_t)strtoul(value, &colon, 0); if (*colon == ':') facts->strength = (uint32_t)atoi(colon + 1); }
  }
  size_t used = (size_t)(end - conn->in) + 2;
  memmove(conn->in, conn->in + used, conn->inLength -= used);
  return 1;
}

void freeFacts(Conn *conn) {
  free(conn->facts.cert.data);
  free(conn->facts.later.data);
}

typedef struct Token { struct Token *next; uint64_t handle; } Token;
static Token *tokens;

uint64_t tokenOf(const Facts *facts) {
  if (!facts->mapped) return 0;
  Token *token = calloc(1, sizeof *token);
  token->handle = nextId();
  token->next = tokens;
  tokens = token;
  return token->handle;
}

int closeToken(uint64_t handle) {
  Token **at = &tokens;
  while (*at && (*at)->handle != handle) at = &(*at)->next;
  Token *token = *at;
  if (!token) return 0;
  *at = token->next;
  free(token);
  return 1;
}

/* Tokens that were given and not closed. */
EXPORT uint32_t HttpSim_Tokens(void) {
  uint32_t count = 0;
  pthread_mutex_lock(&lock);
  for (Token *token = tokens; token; token = token->next) count++;
  pthread_mutex_unlock(&lock);
  return count;
}

EXPORT uint32_t HttpQueryRequestProperty(uint64_t handle, uint64_t id, int32_t property, uint64_t qualifier, uint32_t qualifierSize, uint64_t output, uint32_t size, uint64_t returned, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, returned);
  if (code) return out(code);
  if (qualifier || qualifierSize) return out(refuse(ERROR_INVALID_PARAMETER, "the property has no qualifier"));
  if (property != HttpRequestPropertySni) return out(refuse(ERROR_NOT_SUPPORTED, "property %d of a request", property));
  HTTP_REQUEST_PROPERTY_SNI sni = { 0 };
  if (!output || size < sizeof sni) return out(refuse(ERROR_INSUFFICIENT_BUFFER, "the output is smaller than HTTP_REQUEST_PROPERTY_SNI"));
  Conn *conn = findRequest(queue, id);
  if (!conn || conn->state != REQUEST_OWNED) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (!conn->facts.secure) return out(refuse(ERROR_NOT_SUPPORTED, "the connection has no TLS"));
  for (size_t i = 0; conn->facts.sni[i]; i++) sni.Hostname[i] = (unsigned char)conn->facts.sni[i];
  sni.Flags = conn->facts.sni[0] ? 1 : 2;
  memcpy(AT(output), &sni, sizeof sni);
  return inlineEnd(queue, overlapped, returned, 0, sizeof sni);
}

static uint32_t writeCertificate(const Facts *facts, const Bytes *cert, uint64_t output, uint32_t size, uint32_t *written) {
  HTTP_SSL_CLIENT_CERT_INFO info = { .CertEncodedSize = (uint32_t)cert->size };
  int fits = size >= sizeof info + cert->size;
  if (fits) info.Token = tokenOf(facts);
  if (fits) info.pCertEncoded = output + sizeof info;
  memcpy(AT(output), &info, sizeof info);
  if (fits) memcpy(AT(output + sizeof info), cert->data, cert->size);
  *written = (uint32_t)(sizeof info + (fits ? cert->size : 0));
  return fits ? 0 : ERROR_MORE_DATA;
}

EXPORT uint32_t HttpReceiveClientCertificate(uint64_t handle, uint64_t id, uint32_t flags, uint64_t output, uint32_t size, uint64_t returned, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, returned);
  if (code) return out(code);
  if (!output || flags) return out(refuse(ERROR_INVALID_PARAMETER, "no buffer, or a flag (channel tokens are not modelled)"));
  if (output & 7) return out(refuse(ERROR_NOACCESS, "the buffer is not aligned to 8 bytes"));
  if (size < sizeof(HTTP_SSL_CLIENT_CERT_INFO)) return out(refuse(ERROR_INSUFFICIENT_BUFFER, "the buffer is smaller than HTTP_SSL_CLIENT_CERT_INFO"));
  Conn *conn = conns;
  while (conn && (conn->id != id || conn->queue != queue)) conn = conn->next;
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no connection of this queue has this id"));
  if (!conn->facts.secure) return out(refuse(ERROR_INVALID_PARAMETER, "the connection has no TLS"));
  const Facts *facts = &conn->facts;
  const Bytes *cert = facts->cert.size ? &facts->cert : &facts->later;
  if (!cert->size) return inlineEnd(queue, overlapped, returned, refuse(ERROR_NOT_FOUND, "the client gave no certificate"), 0);
  if (facts->slow && cert == &facts->later && overlapped) {
    Op *op = newOp(OP_CERTIFICATE, queue, id, overlapped);
    op->buffer = output;
    op->length = size;
    pushOp(&conn->certificates, op);
    wakeConn(conn);
    return endCall(op, overlapped, returned);
  }
  uint32_t written;
  code = writeCertificate(facts, cert, output, size, &written);
  return inlineEnd(queue, overlapped, returned, code, written);
}

/* What the client was asked for and has sent by now. */
void giveCertificates(Conn *conn) {
  if (!conn->certificates.head || !conn->inLength) return;
  memmove(conn->in, conn->in + 1, --conn->inLength);
  Op *op;
  while ((op = popOp(&conn->certificates))) {
    uint32_t written;
    uint32_t code = writeCertificate(&conn->facts, &conn->facts.later, op->buffer, op->length, &written);
    complete(op, code, written);
  }
}
