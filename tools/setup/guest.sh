# shellcheck shell=bash
# An apt of our own beside the system's (sourced, after speak.sh): its lists, cache and status stand in one folder, so it
# needs no root and changes nothing. It keeps the machine's way to the network (proxies, certificates) and always checks
# signatures.

# guest_apt_open FOLDER STATUS: STATUS is the dpkg status file to resolve against.
guest_apt_open() {
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/none"
  {
    apt-config dump | grep -E '^(Acquire|APT::Architectures?)(::| )' | grep -v '^Acquire::IndexTargets'
    cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$1/none";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "$1/none";
Dir::Etc::preferences "$1/preferences";
Dir::Etc::preferencesparts "$1/none";
Dir::State "$1";
Dir::State::lists "$1/lists";
Dir::State::status "$2";
Dir::Cache "$1/cache";
Dir::Log "$1";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Check-Valid-Until "false"; // a mirror's copy of testing and a bundle outlive the week an index is good for
Acquire::Languages "none";
Acquire::Retries "3";
END
  } >"$1/apt.conf"
  guest_apt_folder=$1
}

guest_apt() { APT_CONFIG=$guest_apt_folder/apt.conf "$@"; }

# guest_apt_update: fetches the indexes; stops with apt's own reason.
guest_apt_update() {
  local log=$guest_apt_folder/update.log
  if ! guest_apt apt-get update -q >"$log" 2>&1 || grep -qE '^(W: (GPG error|Failed to fetch)|Err:|E: )' "$log"; then
    stop "no package index could be fetched ($(grep -m1 -E '^(E|W): ' "$log" | cut -c1-300)); check the network and run the same command again"
  fi
}

# For installing into the system itself: what was installed by hand and what was not is kept in the system's record.
guest_apt_keeps_system_state() {
  echo 'Dir::State::extended_states "/var/lib/apt/extended_states";' >>"$guest_apt_folder/apt.conf"
}
