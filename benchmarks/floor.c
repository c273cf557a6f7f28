/* The floor of local jobs: floor COUNT SLOTS DIRECTORY starts COUNT times /bin/true, SLOTS at a time, each with its
 * output in a log file of its own and a session of its own, and does nothing else. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

static int reap(void) {
    int status;
    return waitpid(-1, &status, 0) < 0 || status;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    int count = atoi(argv[1]), slots = atoi(argv[2]), running = 0;
    char path[4096];
    char *const command[] = {"/bin/true", NULL};
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    for (int index = 0; index < count; index++) {
        if (running == slots) {
            if (reap())
                return 1;
            running--;
        }
        snprintf(path, sizeof path, "%s/%d.log", argv[3], index);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        pid_t pid;
        if (posix_spawn(&pid, command[0], &actions, &attributes, command, environ))
            return 1;
        posix_spawn_file_actions_destroy(&actions);
        running++;
    }
    for (; running; running--)
        if (reap())
            return 1;
    return 0;
}
