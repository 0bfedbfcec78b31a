import type { Language } from '../platform/languages/index.js';

/** Formal, as customers are addressed. */
export const de: Language = {
  titles: {
    400: 'Ungültige Anfrage',
    401: 'Nicht angemeldet',
    402: 'Zahlung erforderlich',
    403: 'Nicht erlaubt',
    404: 'Nicht gefunden',
    405: 'Methode nicht erlaubt',
    406: 'Nicht in dieser Form verfügbar',
    408: 'Zeitüberschreitung der Anfrage',
    409: 'Konflikt',
    412: 'Vorbedingung nicht erfüllt',
    413: 'Anfrage zu groß',
    414: 'Adresse zu lang',
    415: 'Format nicht unterstützt',
    422: 'Eingabe ungültig',
    428: 'Vorbedingung fehlt',
    429: 'Zu viele Anfragen',
    431: 'Kopfzeilen zu groß',
    500: 'Interner Fehler',
    503: 'Vorübergehend nicht verfügbar',
    504: 'Ergebnis unbekannt',
  },
  details: {
    503: 'Vorübergehend nicht verfügbar. Bitte versuchen Sie es später erneut.',
    '*-exists': 'Das gibt es bereits.',
    '*-not-found': 'Das gibt es nicht, oder Sie haben keinen Zugriff darauf.',
    'backlog-full':
      'Der Server ist ausgelastet. Es ist nichts geschehen. Bitte versuchen Sie es später erneut.',
    'body-too-large': 'Die Anfrage ist zu groß.',
    busy: 'Der Server ist ausgelastet. Es ist nichts geschehen. Bitte versuchen Sie es später erneut.',
    'client-error': 'Die Anfrage ist fehlerhaft.',
    'deadline-exceeded': 'Die Bearbeitung hat zu lange gedauert. Bitte versuchen Sie es später erneut.',
    forbidden: 'Dazu fehlt Ihnen die Berechtigung.',
    'headers-too-large': 'Die Kopfzeilen der Anfrage sind zu groß.',
    'idempotency-key-in-use': 'Eine Anfrage mit diesem Idempotency-Key wird gerade bearbeitet.',
    'idempotency-key-invalid': 'Der Idempotency-Key muss aus 1 bis 255 druckbaren ASCII-Zeichen bestehen.',
    'idempotency-key-missing': 'Der Header Idempotency-Key fehlt.',
    'idempotency-key-reused': 'Dieser Idempotency-Key wurde mit einer anderen Anfrage verwendet.',
    'internal-error': 'Ein unerwarteter Fehler ist aufgetreten. Er ist unter der requestId verzeichnet.',
    'malformed-request': 'Die Anfrage ist kein gültiges HTTP oder JSON.',
    'method-not-allowed': 'Diese Methode ist hier nicht erlaubt; die erlaubten stehen im Header Allow.',
    'not-acceptable': 'Das gibt es in keiner Form, die der Header Accept zulässt.',
    'not-found': 'Unter dieser Adresse gibt es nichts.',
    'precondition-required': 'Der Header If-Match mit dem ETag der gelesenen Fassung fehlt.',
    'quota-exceeded': 'Zu viele Anfragen. Bitte warten Sie, bevor Sie es erneut versuchen.',
    'request-timeout': 'Die Anfrage ist nicht rechtzeitig vollständig angekommen.',
    'stale-version':
      'Der Eintrag wurde inzwischen geändert. Bitte laden Sie ihn neu und wiederholen Sie die Änderung.',
    'still-referenced': 'Andere Einträge beziehen sich noch darauf.',
    'too-many-pipelined-requests': 'Auf dieser Verbindung sind zu viele Anfragen unbeantwortet.',
    unauthenticated: 'Bitte melden Sie sich an.',
    'unknown-reference': 'Die Anfrage bezieht sich auf etwas, das es nicht gibt.',
    'unsupported-media-type': 'Dieses Format wird nicht unterstützt; senden Sie application/json.',
    'uri-too-long': 'Die Adresse ist zu lang.',
    'validation-failed': 'Die Eingabe ist ungültig; errors nennt die Stellen.',
    'value-not-allowed': 'Ein Wert ist zu lang, fehlt oder ist nicht erlaubt.',
    'email-taken': 'Zu dieser E-Mail-Adresse gibt es bereits ein Konto.',
    'invalid-credentials': 'Die E-Mail-Adresse oder das Passwort ist falsch.',
    'invalid-refresh-token': 'Die Sitzung ist abgelaufen. Bitte melden Sie sich erneut an.',
    // only: exports
    'export-not-ready': 'Die Datei ist noch nicht fertig.',
    // end
    // only: orders
    'mixed-currencies': 'Alle Artikel einer Bestellung müssen dieselbe Währung haben.',
    'order-not-cancellable': 'Diese Bestellung kann nicht mehr storniert werden.',
    'order-not-payable': 'Diese Bestellung ist bereits bezahlt oder storniert.',
    'order-too-large': 'Die Summe der Bestellung ist zu hoch.',
    'payment-in-progress': 'Für diese Bestellung läuft bereits eine Zahlung.',
    // end
    // only: payments
    'invalid-signature': 'Die Signatur fehlt, ist falsch oder zu alt.',
    'payment-declined': 'Die Zahlung wurde abgelehnt. Es wurde nichts abgebucht.',
    'payment-method-refused': 'Dieses Zahlungsmittel ist nicht bekannt.',
    'payment-too-late': 'Die Zahlung konnte nicht rechtzeitig begonnen werden. Es wurde nichts abgebucht.',
    // end
    // only: pictures
    'picture-not-sent': 'Die Datei ist nicht oder nicht vollständig angekommen.',
    // end
    // only: products
    'insufficient-stock': 'Es sind nur noch {available} Stück vorrätig.',
    'unknown-product': 'Einen der Artikel gibt es nicht.',
    // end
  },
  texts: {
    // only: notifications
    'mail.greeting': 'Guten Tag,',
    'mail.greeting.name': 'Guten Tag {name},',
    'mail.order.placed.subject': 'Wir haben Ihre Bestellung {order} erhalten',
    'mail.order.placed.body':
      'Vielen Dank für Ihre Bestellung {orderId} über {money}.\n\nDie Ware ist für Sie reserviert, bis sie bezahlt ist.',
    'mail.order.cancelled.subject': 'Ihre Bestellung {order} ist storniert',
    'mail.order.cancelled.body':
      'Ihre Bestellung {orderId} über {money} ist storniert. Dafür wird nichts mehr abgebucht.',
    'mail.payment.succeeded.subject': 'Wir haben Ihre Zahlung für die Bestellung {order} erhalten',
    'mail.payment.succeeded.body': 'Wir haben {money} für Ihre Bestellung {orderId} erhalten.',
    'mail.payment.declined.subject': 'Ihre Zahlung für die Bestellung {order} wurde abgelehnt',
    'mail.payment.declined.body':
      'Die Zahlung von {money} für Ihre Bestellung {orderId} wurde abgelehnt. Es wurde nichts abgebucht.\n\n' +
      'Ihre Bestellung ist weiter offen: Sie können sie mit einem anderen Zahlungsmittel bezahlen.',
    // end
  },
};
