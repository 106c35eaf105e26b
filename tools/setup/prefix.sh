# shellcheck shell=bash disable=SC2154 # guest_apt_folder is guest.sh's
# Private prefixes (sourced, after speak.sh, sources.sh and guest.sh): packages of a Debian suite with everything they
# need down to libc, unpacked into a folder of ours. Nothing is installed, no service is started, and no root is needed;
# prefix-run runs what is in them.

# prefix_open FOLDER SUITE: fetches the suite's index; FOLDER is scratch.
prefix_open() {
  local uri keyring
  read -r uri keyring < <(main_archive) || stop "no Debian mirror is named in /etc/apt/sources.list or /etc/apt/sources.list.d"
  guest_apt_open "$1" "$1/status"
  # An empty status: nothing of the running system is counted on.
  : >"$1/status"
  echo "deb [signed-by=$keyring] $uri $2 main" >"$1/sources.list"
  guest_apt_update
}

prefix_version() { # PACKAGE
  guest_apt apt-cache show --no-all-versions "$1" 2>/dev/null | awk '$1 == "Version:" { print $2; exit }'
}

# prefix_fill ROOT PACKAGE...
prefix_fill() {
  local root=$1 name source file deb
  shift
  # Asked before the download: a package that lies in a bundle is read where it is.
  guest_apt apt-get install -qq -y --print-uris "$@" >"$guest_apt_folder/uris"
  guest_apt apt-get install -qq -y --download-only "$@" >"$guest_apt_folder/install.log" 2>&1 ||
    stop "$* could not be fetched ($(grep -m1 '^E: ' "$guest_apt_folder/install.log" | cut -c1-300))"
  # Debian's /bin, /lib, /lib64 and /sbin are links into /usr; they stand first, so that a package which still ships the
  # old place ends up in the new one.
  mkdir -p "$root"/usr/{bin,lib,lib64,sbin}
  for name in bin lib lib64 sbin; do ln -s "usr/$name" "$root/$name"; done
  while read -r source file _; do
    source=${source//\'/}
    case $source in
      file:*) deb=$(printf '%b' "${source//%/\\x}") && deb=${deb#file:} ;;
      *) deb=$guest_apt_folder/cache/archives/$file ;;
    esac
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
  done <"$guest_apt_folder/uris"
}
