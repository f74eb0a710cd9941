# SPDX-License-Identifier: Apache-2.0
"""A time-stamping authority for the tests: `openssl ts` behind a small HTTP server on loopback."""

import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
{certs}
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class LocalAuthority:
    """An authority with a root of its own. `chain` makes it send its root along, as some do."""

    def __init__(self, folder: Path, *, chain: bool = False, name: str = "Test TSA") -> None:
        self.folder, self.down, self.asked = folder, False, 0
        folder.mkdir(parents=True)
        (folder / "serial").write_text("01\n")
        certs = f"certs = {folder}/root.pem" if chain else ""
        self.config = folder / "tsa.cnf"
        self.config.write_text(CONFIG.format(folder=folder, certs=certs, name=name))
        self._certificates()
        self.root = folder / "root.pem"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.down:
                    self.send_error(503)
                    return
                answer = outer.stamp(query)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/tsr"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def stamp(self, query: bytes) -> bytes:
        path = self.folder / f"{self.asked}.tsq"
        path.write_bytes(query)
        out = path.with_suffix(".tsr")
        self._run("ts", "-reply", "-queryfile", path, "-out", out)
        return out.read_bytes()

    def _certificates(self) -> None:
        at = self.folder
        for name in ("root", "tsa"):
            self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                      at / f"{name}.key", config=False)  # fmt: skip
        self._run("req", "-x509", "-key", at / "root.key", "-out", at / "root.pem", "-days", "30",
                  "-extensions", "root")  # fmt: skip
        self._run("req", "-new", "-key", at / "tsa.key", "-out", at / "tsa.csr", "-subj",
                  "/CN=Stamper")  # fmt: skip
        self._run("x509", "-req", "-in", at / "tsa.csr", "-CA", at / "root.pem", "-CAkey",
                  at / "root.key", "-CAcreateserial", "-days", "30", "-out", at / "tsa.pem",
                  "-extfile", self.config, "-extensions", "stamper", config=False)  # fmt: skip

    def _run(self, *arguments: object, config: bool = True) -> None:
        words = [str(one) for one in arguments]
        if config:
            words += ["-config", str(self.config)]
        subprocess.run(["openssl", *words], check=True, capture_output=True)
