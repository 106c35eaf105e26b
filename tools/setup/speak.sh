# shellcheck shell=bash
# How the set-up scripts speak (sourced): progress in one line each, and one line for what is wrong when they stop.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

stop() {
  printf '%s: cannot go on: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# The data folder of the program: engine and models live here, one copy per user.
data_folder() { printf '%s/meshai\n' "${XDG_DATA_HOME:-${HOME:?HOME is not set}/.local/share}"; }

# need_space FOLDER MEGABYTES: the folder must exist.
need_space() {
  local free
  free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$2" ] || stop "no disk space: $1 has $free MB free, $2 MB are needed; make room and run the same command again"
}
