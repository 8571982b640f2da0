"""Receives webhooks: an example to start from, in Python 3.9 or later.

    pip install standardwebhooks==1.1.0
    WEBHOOK_SECRET=whsec_... python3 receiver.py 8080

Prints a line of JSON for each event. A real receiver stands behind HTTPS, keeps the ids it has
seen in its database, and queues the event there in the same transaction before it answers.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

LONGEST_BODY = 1024 * 1024

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
seen = set()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > LONGEST_BODY:
            self.answer(413)
            return
        # The signature is over these bytes: parse them only after it has been verified.
        body = self.rfile.read(length)
        try:
            webhook.verify(body, dict(self.headers.items()), json_parse=False)
        except WebhookVerificationError as error:
            print(f"refused: {error}", file=sys.stderr, flush=True)
            self.answer(401)
            return
        # A message may come twice, with the same id: it is delivered at least once.
        message = self.headers["webhook-id"]
        if message not in seen:
            seen.add(message)
            event = json.loads(body)
            line = json.dumps({"message": message, "type": event["type"], "subject": event["subject"]})
            # In one piece: other requests are answered at the same time.
            print(line + "\n", end="", flush=True)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", "0")
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()

    def log_message(self, format, *arguments):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
