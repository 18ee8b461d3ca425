/* HTTP/1.x: heads and bodies. */
#include "double.h"

static int isTokenChar(unsigned char c) {
  return c > 32 && c < 127 && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

const Field *field(Conn *conn, const char *name) {
  size_t length = strlen(name);
  for (uint32_t i = 0; i < conn->fieldCount; i++)
    if (conn->fields[i].nameLength == length && !strncasecmp(conn->fields[i].name, name, length)) return &conn->fields[i];
  return NULL;
}

int fieldHas(const Field *of, const char *token) {
  if (!of) return 0;
  size_t length = strlen(token);
  for (uint32_t i = 0; i + length <= of->valueLength; i++) {
    if (strncasecmp(of->value + i, token, length)) continue;
    int starts = i == 0 || of->value[i - 1] == ' ' || of->value[i - 1] == ',';
    int ends = i + length == of->valueLength || of->value[i + length] == ' ' || of->value[i + length] == ',';
    if (starts && ends) return 1;
  }
  return 0;
}

static int parseBodyKind(Conn *conn) {
  const Field *length = NULL, *coding = field(conn, "Transfer-Encoding");
  uint32_t lengths = 0, hosts = 0;
  for (uint32_t i = 0; i < conn->fieldCount; i++) {
    Field *at = &conn->fields[i];
    if (at->nameLength == 14 && !strncasecmp(at->name, "Content-Length", 14)) { length = at; lengths++; }
    if (at->nameLength == 4 && !strncasecmp(at->name, "Host", 4)) hosts++;
  }
  if (hosts > 1 || (hosts == 0 && conn->minor == 1) || lengths > 1 || (length && coding)) return 400;
  conn->body = BODY_NONE;
  conn->bodyDone = 1;
  if (coding) {
    if (coding->valueLength != 7 || strncasecmp(coding->value, "chunked", 7) || conn->minor == 0) return 501;
    conn->body = BODY_CHUNKED;
    conn->bodyDone = 0;
  } else if (length) {
    if (length->valueLength == 0 || length->valueLength > 18) return 400;
    conn->rest = 0;
    for (uint32_t i = 0; i < length->valueLength; i++) {
      if (length->value[i] < '0' || length->value[i] > '9') return 400;
      conn->rest = conn->rest * 10 + (uint64_t)(length->value[i] - '0');
    }
    conn->body = BODY_LENGTH;
    conn->bodyDone = conn->rest == 0;
  }
  conn->chunkState = 0;
  conn->expects = conn->minor == 1 && !conn->bodyDone && fieldHas(field(conn, "Expect"), "100-continue");
  return 1;
}

int parseHead(Conn *conn) {
  if (!takeFacts(conn)) return 0;
  while (conn->inLength >= 2 && conn->in[0] == '\r' && conn->in[1] == '\n') memmove(conn->in, conn->in + 2, conn->inLength -= 2);
  char *end = conn->inLength ? memmem(conn->in, conn->inLength, "\r\n\r\n", 4) : NULL;
  if (!end) return conn->inLength > 65536 ? 431 : 0;
  size_t length = (size_t)(end - conn->in) + 4;
  free(conn->head);
  conn->head = malloc(length + 1);
  memcpy(conn->head, conn->in, length);
  conn->head[length] = 0;
  conn->headLength = length;
  memmove(conn->in, conn->in + length, conn->inLength -= length);
  char *at = conn->head, *line = strstr(at, "\r\n");
  conn->method = at;
  while (isTokenChar((unsigned char)*at)) at++;
  conn->methodLength = (uint32_t)(at - conn->method);
  if (conn->methodLength == 0 || *at++ != ' ') return 400;
  conn->target = at;
  while (at < line && (unsigned char)*at > 32 && *at != 127) at++;
  conn->targetLength = (uint32_t)(at - conn->target);
  if (conn->targetLength == 0 || line - at != 9 || memcmp(at, " HTTP/1.", 8) || (at[8] != '0' && at[8] != '1')) return 400;
  conn->major = 1;
  conn->minor = at[8] - '0';
  conn->fieldCount = 0;
  for (at = line + 2; !(at[0] == '\r' && at[1] == '\n'); at = line + 2) {
    line = strstr(at, "\r\n");
    if (!line || conn->fieldCount == 256) return 400;
    Field *to = &conn->fields[conn->fieldCount++];
    to->name = at;
    while (isTokenChar((unsigned char)*at)) at++;
    to->nameLength = (uint32_t)(at - to->name);
    if (to->nameLength == 0 || *at != ':') return 400;
    for (at++; *at == ' ' || *at == '\t';) at++;
    char *stop = line;
    while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
    to->value = at;
    to->valueLength = (uint32_t)(stop - at);
    for (; at < stop; at++) if ((unsigned char)*at < 32 && *at != '\t') return 400;
  }
  return parseBodyKind(conn);
}

static void drop(Conn *conn, size_t count) {
  memmove(conn->in, conn->in + count, conn->inLength -= count);
}

static long takePlain(Conn *conn, char *to, size_t most) {
  size_t count = conn->inLength < most ? conn->inLength : most;
  if (conn->rest < count) count = (size_t)conn->rest;
  if (count == 0) return 0;
  if (to) memcpy(to, conn->in, count);
  drop(conn, count);
  conn->rest -= count;
  return (long)count;
}

/* 0: at a size line; 1: in a chunk; 2: at the CRLF after one; 3: in the trailer section. */
static long takeChunked(Conn *conn, char *to, size_t most) {
  for (;;) {
    if (conn->chunkState == 1) {
      long taken = takePlain(conn, to, most);
      if (conn->rest == 0) conn->chunkState = 2;
      if (taken > 0 || conn->chunkState == 1) return taken;
    }
    char *line = conn->inLength ? memmem(conn->in, conn->inLength, "\r\n", 2) : NULL;
    if (!line) return conn->inLength > 8192 || (conn->chunkState == 2 && conn->inLength >= 2) ? -2 : 0;
    size_t length = (size_t)(line - conn->in);
    if (conn->chunkState == 2) {
      if (length != 0) return -2;
      conn->chunkState = 0;
    } else if (conn->chunkState == 3) {
      if (length == 0) { drop(conn, 2); conn->bodyDone = 1; return -1; }
    } else {
      size_t digits = 0;
      conn->rest = 0;
      for (; digits < length && strchr("0123456789abcdefABCDEF", conn->in[digits]); digits++) {
        char digit[2] = { conn->in[digits], 0 };
        conn->rest = conn->rest * 16 + strtoul(digit, NULL, 16);
      }
      if (digits == 0 || digits > 15 || (digits < length && conn->in[digits] != ';')) return -2;
      conn->chunkState = conn->rest == 0 ? 3 : 1;
    }
    drop(conn, length + 2);
  }
}

long takeBody(Conn *conn, char *to, size_t most) {
  if (conn->body == BODY_OPAQUE) {
    conn->rest = UINT64_MAX;
    return takePlain(conn, to, most);
  }
  if (conn->bodyDone) return -1;
  if (conn->bodyBroken) return -2;
  long taken = conn->body == BODY_LENGTH ? takePlain(conn, to, most) : takeChunked(conn, to, most);
  if (conn->body == BODY_LENGTH && conn->rest == 0) conn->bodyDone = 1;
  if (taken == -2) conn->bodyBroken = 1;
  return taken;
}
