/* Preloaded into a process: writes or syncs of one file go wrong as CRASH_FAULT says,

       <write|sync> <end of the file's path> <first> <last> <what>

   from its first such call to its last (both counted from 1, in this process). What happens:

       kill    the process is killed before the call is carried out
       torn    the process is killed when half of the bytes are written
       after   the process is killed when the call has been carried out
       both    as torn, and the process that started this one is killed first
       lost    as kill, likewise
       5, 28   the call fails with this errno, a write after half of its bytes
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char op[16], end[128], what[16];
static long first, last, count;
static pid_t parent;

__attribute__((constructor)) static void read_fault(void) {
    const char *told = getenv("CRASH_FAULT");
    parent = getppid();
    if (!told || sscanf(told, "%15s %127s %ld %ld %15s", op, end, &first, &last, what) != 5)
        op[0] = 0;
}

static int is_due(const char *kind, int fd) {
    char link[64], path[4096];
    if (strcmp(op, kind))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    size_t tail = strlen(end);
    if (length < (ssize_t)tail || strncmp(path + length - tail, end, tail))
        return 0;
    long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    return first <= now && now <= last;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off64_t);
typedef int (*sync_t)(int);

/* -1: an error is to be told; 0: the call is to be carried out; 1: and then the process dies. */
static int before_write(int fd, const void *bytes, size_t length, off64_t at, int placed) {
    if (!is_due("write", fd))
        return 0;
    if (!strcmp(what, "kill"))
        die();
    if (!strcmp(what, "after"))
        return 1;
    /* Whoever takes in processes whose parent is gone must not die for it. */
    if ((!strcmp(what, "both") || !strcmp(what, "lost")) && getppid() == parent)
        kill(parent, SIGKILL);
    if (!strcmp(what, "lost"))
        die();
    if (placed)
        REAL("pwrite64", pwrite_t)(fd, bytes, length / 2, at);
    else
        REAL("write", write_t)(fd, bytes, length / 2);
    if (!atoi(what))
        die();
    errno = atoi(what);
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    int then = before_write(fd, bytes, length, 0, 0);
    if (then < 0)
        return -1;
    ssize_t done = REAL("write", write_t)(fd, bytes, length);
    if (then)
        die();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    int then = before_write(fd, bytes, length, at, 1);
    if (then < 0)
        return -1;
    ssize_t done = REAL("pwrite64", pwrite_t)(fd, bytes, length, at);
    if (then)
        die();
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

static int synced(const char *name, int fd) {
    int due = is_due("sync", fd);
    if (due && atoi(what)) {
        errno = atoi(what);
        return -1;
    }
    if (due && strcmp(what, "after"))
        die();
    int done = REAL(name, sync_t)(fd);
    if (due)
        die();
    return done;
}

int fdatasync(int fd) { return synced("fdatasync", fd); }
int fsync(int fd) { return synced("fsync", fd); }
