# shellcheck shell=bash
# A fresh Debian in a folder (sourced): made by mmdebstrap from this machine's own mirror, entered with processes and mounts
# of its own, gone when the script ends. Needs root, or sudo without a password.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
# shellcheck source=../../tools/setup/speak.sh
. "$project/tools/setup/speak.sh"
# shellcheck source=../../tools/setup/sources.sh
. "$project/tools/setup/sources.sh"

skipped=77 # ctest's SKIP_RETURN_CODE

root_begin() {
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { say "skipped: fresh roots need root, or sudo without a password"; exit "$skipped"; }
    exec sudo -n env "PATH=$PATH" ${PIP_CERT:+"PIP_CERT=$PIP_CERT"} ${PIP_INDEX_URL:+"PIP_INDEX_URL=$PIP_INDEX_URL"} "$0" "$@"
  fi
  work=$(mktemp -d "${TMPDIR:-/var/tmp}/meshai-roots.XXXXXX")
  chmod 755 "$work"
  need_space "$work" 8000
  # Every mount lives in a namespace that ends before this: what is left are plain files.
  trap 'rm -rf --one-file-system "$work"' EXIT
  apt-config dump | grep '^Acquire' | grep -v '^Acquire::IndexTargets' >"$work/acquire.conf"
}

# root_make FOLDER RELEASE PACKAGE...: the smallest Debian with these packages.
root_make() {
  local folder=$1 release=$2 uri key security
  shift 2
  read -r uri key < <(main_archive)
  security=$(machine_sources | awk '$2 ~ /-security$/ { print $1; exit }')
  say "making a fresh $release"
  mmdebstrap --mode=root --variant=minbase --aptopt="$work/acquire.conf" --include="$(IFS=, && echo "$*")" "$release" "$folder" \
    "deb [signed-by=$key] $uri $release main" "deb [signed-by=$key] $uri $release-updates main" \
    ${security:+"deb [signed-by=$key] $security $release-security main"} >"$work/mmdebstrap.log" 2>&1 || {
    tail -n 20 "$work/mmdebstrap.log" >&2
    stop "mmdebstrap could not make $release"
  }
  # This machine's way to the network goes along.
  cp /etc/resolv.conf /etc/hosts "$folder/etc/"
  [ -z "${PIP_CERT:-}" ] || cp "$PIP_CERT" "$folder/etc/pip-cert.pem"
}

# root_source FOLDER PATH: the project as it would be cloned, without anything built.
root_source() {
  mkdir -p "$1$2"
  git -C "$project" -c safe.directory="$project" ls-files -z --cached --others --exclude-standard |
    tar -c -C "$project" --null --verbatim-files-from --ignore-failed-read -T - | tar -x --no-same-owner -C "$1$2"
}

# root_run FOLDER USER SCRIPT [--net]: runs the script in the root as that user, with the environment of a fresh login.
# With --net it has no network but the loopback.
root_run() {
  printf '%s\n' 'set -euo pipefail' "$3" >"$1/steps"
  unshare --mount --pid --fork --kill-child ${4:+"$4"} "$here/enter" "$1" "$2" "${4:-}" </dev/null
}

# must_say WORDS COMMAND...: the command fails, and the last line before make's own has the words.
must_say() {
  local words=$1 output
  shift
  if output=$("$@" 2>&1); then stop "this should have failed with \"$words\": $output"; fi
  output=$(grep -v '^make: \*\*\*' <<<"$output")
  [[ ${output##*$'\n'} == *"$words"* ]] || stop "this should have ended with \"$words\": $output"
}
