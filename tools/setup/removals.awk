# Reads what `apt-get --simulate` would do, then what is known of the incoming packages (apt-cache show) and of the
# leaving ones (name, source), and prints each leaving package that no newer version of the same library replaces:
# none that comes provides its name (as libssl3t64 does for libssl3), and none of the same source has the same name but
# for the version in it (as libunistring5 for libunistring2).
function stem(name) { sub(/t64$/, "", name); gsub(/[0-9][0-9.]*/, "", name); return name }
FILENAME ~ /simulation$/ {
  if ($1 == "Remv") { name = $2; sub(/:.*/, "", name); leaving[name] = 1 }
  next
}
FILENAME ~ /leaving$/ { origin[$1] = $2; next }
/^Package: / { package = $2; source = $2 }
/^Source: / { source = $2 }
/^Provides: / {
  line = substr($0, 11); gsub(/\([^)]*\)/, "", line)
  n = split(line, word, /[ ,]+/)
  for (i = 1; i <= n; i++) provided[word[i]] = 1
}
/^$/ { if (package != "") newer[stem(package), stem(source)] = 1; package = "" }
END {
  if (package != "") newer[stem(package), stem(source)] = 1
  for (name in leaving) if (!(name in provided) && !((stem(name), stem(origin[name])) in newer)) print name
}
