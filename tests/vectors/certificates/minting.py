# SPDX-License-Identifier: Apache-2.0
"""Certificates made byte by byte, the same ones on every run, well formed or broken on purpose."""
import hashlib
import hmac
import random

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
HASHES = {"sha1": ("2b0e03021a", hashlib.sha1), "sha256": ("608648016503040201", hashlib.sha256),
          "sha384": ("608648016503040202", hashlib.sha384),
          "sha512": ("608648016503040203", hashlib.sha512)}


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def seq(*parts):
    return tlv(0x30, *parts)


def oid(hex_digits):
    return tlv(0x06, bytes.fromhex(hex_digits))


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bits(body, unused=0):
    return tlv(0x03, bytes([unused]), body)


def name(common_name):
    if common_name is None:
        return seq()
    return seq(tlv(0x31, seq(oid("550403"), tlv(0x0c, common_name.encode()))))


NULL = tlv(0x05)


class Rsa:
    def __init__(self, seed, size=2048, pss=None, pss_key=False):
        source = random.Random(f"dotkey {seed}")
        self.e, self.pss, self.pss_key = 65537, pss, pss_key
        p = self.prime(source, size // 2)
        q = self.prime(source, size // 2)
        self.n = p * q
        self.d = pow(self.e, -1, (p - 1) * (q - 1))
        self.size = (self.n.bit_length() + 7) // 8

    def prime(self, source, size):
        while True:
            p = source.getrandbits(size) | 3 << (size - 2) | 1
            if any(p % small == 0 for small in range(3, 2000, 2)) or (p - 1) % self.e == 0:
                continue
            if pow(2, p - 1, p) == 1 and all(self.passes(p, source.randrange(2, p - 1))
                                             for _ in range(16)):
                return p

    @staticmethod
    def passes(p, base):
        d, r = p - 1, 0
        while d % 2 == 0:
            d, r = d // 2, r + 1
        x = pow(base, d, p)
        return x in (1, p - 1) or any((x := x * x % p) == p - 1 for _ in range(r - 1))

    def spki(self):
        algorithm = seq(oid("2a864886f70d01010a")) if self.pss_key else \
            seq(oid("2a864886f70d010101"), NULL)
        return seq(algorithm, bits(seq(integer(self.n), integer(self.e))))

    def algorithm(self, hash_name):
        if not self.pss:
            last = {"sha1": "05", "sha256": "0b", "sha384": "0c", "sha512": "0d"}[hash_name]
            return seq(oid("2a864886f70d0101" + last), NULL)
        inner = seq(oid(HASHES[hash_name][0]), NULL)
        salt = HASHES[hash_name][1]().digest_size
        return seq(oid("2a864886f70d01010a"), seq(
            tlv(0xa0, inner), tlv(0xa1, seq(oid("2a864886f70d010108"), inner)),
            tlv(0xa2, integer(salt))))

    def sign(self, tbs, hash_name):
        h = HASHES[hash_name][1]
        digest = h(tbs).digest()
        if self.pss:
            padded = self.pad_pss(digest, h)
        else:
            info = seq(seq(oid(HASHES[hash_name][0]), NULL), tlv(0x04, digest))
            padded = b"\0\1" + b"\xff" * (self.size - 3 - len(info)) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(self.size, "big")

    def pad_pss(self, digest, h):
        salt = h(b"salt" + digest).digest()
        tail = h(bytes(8) + digest + salt).digest()
        block_size = self.size - len(tail) - 1
        block = bytes(block_size - len(salt) - 1) + b"\1" + salt
        mask = b"".join(h(tail + i.to_bytes(4, "big")).digest() for i in range(40))
        block = bytes(a ^ b for a, b in zip(block, mask))
        return bytes([block[0] & 0x7f]) + block[1:] + tail + b"\xbc"


class Ec:
    # prime, b, order, base point; a = -3 (FIPS 186-4 D.1.2)
    CURVES = {
        256: ("2a8648ce3d030107", 2**256 - 2**224 + 2**192 + 2**96 - 1,
              0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
              0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
              0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5, "sha256"),
        384: ("2b81040022", 2**384 - 2**128 - 2**96 + 2**32 - 1,
              int("ffffffffffffffffffffffffffffffffffffffffffffffff"
                  "c7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16),
              int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98"
                  "59f741e082542a385502f25dbf55296c3a545e3872760ab7", 16),
              int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c"
                  "e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f", 16), "sha384"),
        521: ("2b81040023", 2**521 - 1,
              int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
                  "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
              int("c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3d"
                  "baa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
              int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e"
                  "662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 16),
              "sha512"),
    }

    def __init__(self, seed, size=256):
        self.curve, self.p, self.n, *base, self.hash = self.CURVES[size]
        self.base, self.size = tuple(base), (size + 7) // 8
        self.d = int.from_bytes(hashlib.sha512(f"dotkey {seed}".encode()).digest() +
                                bytes(16), "big") % self.n
        self.point = self.multiply(self.d, self.base)

    def add(self, a, b):
        if a is None or b is None:
            return b if a is None else a
        if a[0] == b[0]:
            if a[1] != b[1]:
                return None
            slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, factor, point):
        out = None
        while factor:
            if factor & 1:
                out = self.add(out, point)
            point, factor = self.add(point, point), factor >> 1
        return out

    def spki(self):
        point = b"\4" + b"".join(v.to_bytes(self.size, "big") for v in self.point)
        return seq(seq(oid("2a8648ce3d0201"), oid(self.curve)), bits(point))

    def algorithm(self, hash_name):
        hash_name = hash_name if hash_name != "sha256" else self.hash
        last = {"sha1": "01", "sha256": "0302", "sha384": "0303", "sha512": "0304"}[hash_name]
        return seq(oid("2a8648ce3d04" + last))

    def sign(self, tbs, hash_name):
        hash_name = hash_name if hash_name != "sha256" else self.hash
        digest = HASHES[hash_name][1](tbs).digest()
        e = int.from_bytes(digest, "big") >> max(0, len(digest) * 8 - self.n.bit_length())
        secret = self.d.to_bytes(66, "big")
        k = int.from_bytes(hmac.new(secret, b"k0" + tbs, "sha512").digest() +
                           hmac.new(secret, b"k1" + tbs, "sha512").digest(), "big") % self.n
        r = self.multiply(k, self.base)[0] % self.n
        return seq(integer(r), integer(pow(k, -1, self.n) * (e + r * self.d) % self.n))


class Ed:
    def __init__(self, seed, bits_size=25519):
        digest = hashlib.sha512(f"dotkey {seed}".encode()).digest()
        self.seed = digest[:32] if bits_size == 25519 else digest[:57]
        self.oid = "2b6570" if bits_size == 25519 else "2b6571"
        kind = ed25519.Ed25519PrivateKey if bits_size == 25519 else ed448.Ed448PrivateKey
        self.secret = kind.from_private_bytes(self.seed)
        self.public = self.secret.public_key().public_bytes(*RAW)

    def spki(self):
        return seq(seq(oid(self.oid)), bits(self.public))

    def algorithm(self, _):
        return seq(oid(self.oid))

    def sign(self, tbs, _):
        return self.secret.sign(tbs)


def extension(id_hex, value, critical=False, explicit_false=False):
    flag = tlv(0x01, b"\xff") if critical else tlv(0x01, b"\0") if explicit_false else b""
    return seq(oid(id_hex), flag, tlv(0x04, value))


def dns(text):
    return tlv(0x82, text.encode())


def ip(*numbers):
    return tlv(0x87, bytes(numbers))


def san(*names, critical=False):
    return extension("551d11", seq(*(dns(n) if isinstance(n, str) else n for n in names)),
                     critical)


def basic(ca=True, path_length=None, critical=True):
    flag = tlv(0x01, b"\xff") if ca else b""
    length = integer(path_length) if path_length is not None else b""
    return extension("551d13", seq(flag, length), critical)


CERT_SIGN, DIGITAL_SIGNATURE = 5, 0


def usage(*numbers):
    value = sum(0x80 >> n for n in numbers)
    return extension("551d0f", bits(bytes([value]), 7 - max(numbers)), critical=True)


def eku(*last_bytes):
    return extension("551d25", seq(*(oid("2b060105050703" + b) for b in last_bytes)))


def constraints(permitted=(), excluded=()):
    def side(tag, names):
        trees = (seq(dns(n) if isinstance(n, str) else n) for n in names)
        return tlv(tag, *trees) if names else b""
    return extension("551d1e", seq(side(0xa0, permitted), side(0xa1, excluded)), critical=True)


def certificate(subject, key, issuer=None, issuer_key=None, extensions=(),
                not_before="240101000000Z", not_after="340101000000Z", hash_name="sha256",
                serial=None, version=3, algorithm=None, signature=None, time_tag=0x17, tail=b"",
                raw_serial=None):
    """DER; issuer and its key default to the subject's own."""
    issuer_key = issuer_key or key
    algorithm = algorithm or issuer_key.algorithm(hash_name)
    if serial is None:
        serial = int.from_bytes(hashlib.sha256(f"{subject} {issuer}".encode()).digest()[:8], "big")
    tbs = seq(tlv(0xa0, integer(version - 1)) if version > 1 else b"",
              raw_serial or integer(serial), algorithm, name(issuer or subject),
              seq(tlv(time_tag, not_before.encode()), tlv(time_tag, not_after.encode())),
              name(subject), key.spki(), tail,
              tlv(0xa3, seq(*extensions)) if extensions else b"")
    return seq(tbs, algorithm, bits(signature or issuer_key.sign(tbs, hash_name)))
