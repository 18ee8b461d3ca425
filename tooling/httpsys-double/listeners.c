/* One listening socket on the loopback address for each port that a registered URL names. */
#include "double.h"

typedef struct Listener { struct Listener *next; int port, fd, wake; pthread_t thread; } Listener;
static Listener *listeners;

static int connectionsOf(int port) {
  int count = 0;
  for (Conn *conn = conns; conn; conn = conn->next) if (conn->listenPort == port) count++;
  return count;
}

static int mayOpen(int port) {
  for (Group *group = groups; group; group = group->next)
    for (Url *url = group->urls; url; url = url->next)
      if (url->port == port && group->connections && connectionsOf(port) >= (int)group->connections) return 0;
  return 1;
}

static void *acceptThread(void *of) {
  Listener *listener = of;
  for (;;) {
    struct pollfd fds[2] = { { listener->fd, POLLIN, 0 }, { listener->wake, POLLIN, 0 } };
    if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
    if (fds[1].revents) break;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) continue;
    pthread_mutex_lock(&lock);
    if (mayOpen(listener->port)) adopt(fd, -1, listener->port, NULL, 0, NULL, NULL);
    else close(fd);
    pthread_mutex_unlock(&lock);
  }
  close(listener->fd);
  close(listener->wake);
  free(listener);
  return NULL;
}

int openListener(int port) {
  for (Listener *listener = listeners; listener; listener = listener->next) if (listener->port == port) return 0;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 512) < 0) {
    int failed = errno;
    close(fd);
    return failed;
  }
  Listener *listener = calloc(1, sizeof *listener);
  listener->port = port;
  listener->fd = fd;
  listener->wake = eventfd(0, EFD_CLOEXEC);
  listener->next = listeners;
  listeners = listener;
  pthread_create(&listener->thread, NULL, acceptThread, listener);
  pthread_detach(listener->thread);
  return 0;
}

static int isUsed(int port) {
  for (Group *group = groups; group; group = group->next)
    for (Url *url = group->urls; url; url = url->next) if (url->port == port) return 1;
  return 0;
}

void closeListenersWithoutUrl(void) {
  for (Listener **at = &listeners; *at;) {
    Listener *listener = *at;
    if (isUsed(listener->port)) { at = &listener->next; continue; }
    *at = listener->next;
    for (Conn *conn = conns; conn; conn = conn->next) {
      if (conn->listenPort != listener->port) continue;
      conn->closing = 1;
      wakeConn(conn);
    }
    /* At once: the port must be free when the call returns. */
    shutdown(listener->fd, SHUT_RDWR);
    uint64_t one = 1;
    if (write(listener->wake, &one, sizeof one) < 0) abort();
  }
}
