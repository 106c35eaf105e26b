# shellcheck shell=bash
# Debian 13 beside Debian 12 (sourced, after sources.sh): on Debian 12 the compiler and libraries come from the next
# release, added as a source of low priority, so that nothing else is taken from it by itself.

added_preferences=/etc/apt/preferences.d/meshai-trixie
# What `apt-get --target-release` prefers: the release with its security and its updates.
# shellcheck disable=SC2034 # for who sources this
added_release='/^trixie(|-security|-updates)$/'

# Prints the releases that the machine's own sources name, as code names; /etc/os-release does not count, since the
# upgrade of libc brings the next release's.
own_releases() {
  local uri suite kept
  machine_sources | while read -r uri suite _; do
    kept=$(kept_release "$uri" "$suite")
    if [ -r "$kept" ]; then suite=$(awk '$1 == "Codename:" { print $2; exit }' "$kept"); fi
    echo "${suite%%-*}"
  done | sort -u
}

# Prints bookworm or trixie; stops where neither is the machine's.
own_release() {
  local releases
  releases=$(own_releases | tr '\n' ' ')
  case " $releases" in
    *' trixie '*) echo trixie ;;
    *' bookworm '*) echo bookworm ;;
    '  ' | ' ') stop "this is an unknown distribution: its apt sources name no Debian archive; Debian 12 and 13 are supported" ;;
    *) stop "this is an unknown distribution: its apt sources name Debian's ${releases% }; Debian 12 (bookworm) and 13 (trixie) are supported" ;;
  esac
}

# From what `apt-cache madison PACKAGE...` prints: the packages that the machine's own release has in a version that will
# do by packages.list.
enough_in_own_release() {
  local package oldest version suite release
  release=$(own_release)
  tr -d '|' | while read -r package version _ suite _; do
    [ "$release" = trixie ] || [[ $suite != trixie* ]] || continue
    oldest=$(awk -v name="$package" '$2 == name { print $3; exit }' "${BASH_SOURCE[0]%/*}/packages.list")
    if [ "$oldest" = - ] || dpkg --compare-versions "$version" ge "$oldest"; then echo "$package"; fi
  done | sort -u
}

# The machine's own Debian sources with the suites of Debian 13, as a deb822 file.
added_sources_text() {
  echo "# Added by Mesh AI's set-up: Debian 13 beside Debian 12, at low priority ($added_preferences)."
  local uri suite key
  machine_sources | while read -r uri suite key; do
    [[ $uri != cdrom:* ]] || continue
    case $suite in
      bookworm | oldstable) suite=trixie ;;
      bookworm-* | oldstable-*) suite=trixie-${suite#*-} ;;
      *) continue ;;
    esac
    printf '\nTypes: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$suite" "$key"
  done
}

added_preferences_text() {
  printf '%s\n' "# Added by Mesh AI's set-up: Debian 13 only where it is asked for." 'Package: *' 'Pin: release n=trixie*' 'Pin-Priority: 100'
}
