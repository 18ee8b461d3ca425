#!/bin/sh
# Makes the certificates of this folder anew. Their keys guard nothing but tests.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
# authority <name>: signed by itself
authority() {
  key "$work/$1.key"
  openssl req -x509 -new -key "$work/$1.key" -subj "/CN=$1" -days 36500 -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}
# certificate <name> <authority> <extension lines> <start> <end>
certificate() {
  [ -f "$1.key" ] || key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$work/$1.csr"
  : > "$work/index"; echo 01 > "$work/serial"
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n[x]\n%s\n' \
    "$work/index" "$work/serial" "$work" "$3" > "$work/conf"
  openssl ca -batch -notext -config "$work/conf" -extensions x -cert "$2.pem" -keyfile "$work/$2.key" \
    -startdate "$4" -enddate "$5" -in "$work/$1.csr" -out "$1.pem"
}
rm -f ./*.pem ./*.key ./*.pfx
from=20200101000000Z until=21200101000000Z
authority authority
authority client-authority
certificate server authority 'subjectAltName=DNS:localhost,DNS:named.test,IP:127.0.0.1,IP:::1' $from $until
certificate renewed authority 'subjectAltName=DNS:localhost,IP:127.0.0.1' $from $until
certificate other authority 'subjectAltName=DNS:other.test' $from $until
certificate expired authority 'subjectAltName=DNS:localhost,IP:127.0.0.1' $from 20210101000000Z
certificate gateway client-authority 'extendedKeyUsage=clientAuth' $from $until
certificate gateway-renewed client-authority 'extendedKeyUsage=clientAuth' $from $until
openssl pkcs12 -export -inkey gateway.key -in gateway.pem -passout pass:secret -out gateway.pfx
openssl ec -in gateway.key -aes256 -passout pass:secret -out gateway.encrypted.key
rm -r "$work"
