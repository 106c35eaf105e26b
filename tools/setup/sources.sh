# shellcheck shell=bash
# Which Debian archives this machine uses (sourced, after speak.sh). Everything that is fetched from Debian comes from
# the mirrors named in the machine's own apt sources, or from a bundle; no host is named in this project.

added_sources=/etc/apt/sources.list.d/meshai-trixie.sources
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints "URI SUITE KEYRING" for each binary source in the machine's files that has the component main and the name of a
# Debian suite. KEYRING is "-" where none is given, "inline" where it stands in the file itself. Reads both the .list and the deb822 format.
listed_sources() {
  local lists=() stanzas=() file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -r "$file" ] && lists+=("$file")
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] && [ "$file" != "$added_sources" ] && stanzas+=("$file")
  done
  {
    [ ${#lists[@]} -eq 0 ] || awk '
      $1 == "deb" {
        line = $0; key = "-"
        sub(/cdrom:\[[^]]*\]/, "cdrom:", line)
        if (match(line, /\[[^]]*\]/)) {
          n = split(substr(line, RSTART + 1, RLENGTH - 2), option, " ")
          for (i = 1; i <= n; i++) if (option[i] ~ /^signed-by=\//) { key = substr(option[i], 11); sub(/,.*/, "", key) }
          line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
        }
        sub(/#.*/, "", line)
        n = split(line, word, " ")
        for (i = 4; i <= n; i++) if (word[i] == "main") print word[2], word[3], key
      }' "${lists[@]}"
    [ ${#stanzas[@]} -eq 0 ] || awk '
      function flush(  i, j, u, s, nu, ns) {
        if (!off && (" " type " ") ~ / deb / && (" " component " ") ~ / main /) {
          nu = split(uri, u, " "); ns = split(suite, s, " ")
          for (i = 1; i <= nu; i++) for (j = 1; j <= ns; j++) print u[i], s[j], (key == "" ? "-" : key ~ /^\// ? key : "inline")
        }
        type = uri = suite = component = key = field = ""; off = 0
      }
      FNR == 1 { flush() }
      /^#/ { next }
      /^[ \t]*$/ { flush(); next }
      /^[ \t]/ { value = $0 }
      /^[^ \t]/ { field = tolower($0); sub(/:.*/, "", field); value = $0; sub(/^[^:]*:/, "", value) }
      { gsub(/[ \t]+/, " ", value); gsub(/^ | $/, "", value) }
      field == "types" { type = type " " value }
      field == "uris" { uri = uri " " value }
      field == "suites" { suite = suite " " value }
      field == "components" { component = component " " value }
      field == "signed-by" && key == "" { key = value; sub(/ .*/, "", key) }
      field == "enabled" && tolower(value) ~ /^(no|false|off|0)$/ { off = 1 }
      END { flush() }' "${stanzas[@]}"
  } | awk '$2 ~ /^((old)*stable|bookworm|trixie|testing|forky|unstable|sid)(-updates|-security)?$/ && !seen[$0]++'
}

# The release file that apt keeps of a source, where it has been fetched; it tells whose archive it is.
kept_release() {
  local name=${1#*://}
  name=${name%/}
  name=${name//_/%5f}
  printf '/var/lib/apt/lists/%s_dists_%s_InRelease\n' "${name//\//_}" "${2//\//_}"
}

# Prints "URI SUITE KEYRING" for each of the machine's sources that is Debian itself: third parties use Debian's suite
# names too, so one with a keyring of its own, or whose release file names another origin, is left out.
machine_sources() {
  local uri suite key release
  while read -r uri suite key; do
    release=$(kept_release "$uri" "$suite")
    if [ -r "$release" ]; then
      grep -qx 'Origin: Debian' "$release" || continue
    elif [ "$key" != - ] && [[ $key != */debian-archive-* ]]; then
      continue
    fi
    [[ $key == /* ]] || key=$debian_keyring
    printf '%s %s %s\n' "$uri" "$suite" "$key"
  done < <(listed_sources)
}

# The same for where things are fetched from: no discs, and with MESHAI_BUNDLE set the archives in the bundle, whose
# signatures are checked by this machine's keyring all the same.
debian_sources() {
  local uri suite
  if [ -z "${MESHAI_BUNDLE:-}" ]; then
    machine_sources | grep -v '^cdrom:' || :
    return
  fi
  while read -r uri suite; do
    printf 'file:%s/%s %s %s\n' "$MESHAI_BUNDLE" "$uri" "$suite" "$debian_keyring"
  done <"$MESHAI_BUNDLE/sources"
}

# Prints "URI KEYRING" of the main archive, the one that has the suite testing as well.
main_archive() {
  debian_sources | awk '$2 !~ /-(security|updates)$/ && !found { print $1, $3; found = 1 }'
}
