#!/bin/sh
# make-certificates.sh [folder]: an authority, a server's certificate, those of ann, bob and eve, and a list that takes eve's back.
set -eu
mkdir -p "${1:-certs}"
cd "${1:-certs}"
: >index.txt
echo 'unique_subject = no' >index.txt.attr
cat >ca.cnf <<'END'
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
default_md = sha256
default_days = 90
default_crl_days = 30
policy = any
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
END
request() { openssl req -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null; }
issue() { printf '%s\n' "basicConstraints=CA:false" "$2" "$3" >"$1.ext"; openssl ca -config ca.cnf -batch -notext -in "$1.csr" -out "$1.pem" -extfile "$1.ext" 2>/dev/null; }

openssl req -config ca.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 365 -subj "/CN=Staff authority" \
  -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
request server localhost
issue server "extendedKeyUsage=serverAuth" "subjectAltName=DNS:localhost,IP:127.0.0.1"
for name in ann bob eve; do
  request "$name" "$name"
  issue "$name" "extendedKeyUsage=clientAuth" "subjectAltName=email:$name@example.org"
done
openssl ca -config ca.cnf -revoke eve.pem 2>/dev/null
openssl ca -config ca.cnf -gencrl -out revoked.crl 2>/dev/null
