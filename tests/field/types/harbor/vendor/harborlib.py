import subprocess


def sail(command, env, folder):
    return subprocess.Popen(command, shell=True, env=env, cwd=folder)
