"""Every kind of problem by its stable code: status, title, and what to do about it.

Answers (:mod:`service.http.problems`), ``/problems`` and the OpenAPI document are made of this
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.language.locale import N_


@dataclass(frozen=True)
class Kind:
    """A row of the table: what a code means, wherever it turns up."""

    status: int
    title: str
    help: str


KINDS: Final[Mapping[str, Kind]] = {
    # What was sent cannot be read as one scan (models.image.errors).
    "unreadable_scan": Kind(
        422, N_("File cannot be read"), N_("Export the image again and send that.")
    ),
    "empty_file": Kind(
        422, N_("File is empty"), N_("The upload held no bytes. Choose the file again.")
    ),
    "unsupported_format": Kind(
        415,
        N_("Not an image we read"),
        N_("Send PNG, JPEG, TIFF or DICOM; others need converting first."),
    ),
    "corrupt_file": Kind(
        422,
        N_("File is damaged"),
        N_("It is cut short or not what its header says. Export it again."),
    ),
    "too_expensive": Kind(
        422,
        N_("File takes too much to decode"),
        N_("Export the image again at the scanner's resolution, plainly encoded."),
    ),
    "too_many_pixels": Kind(
        413, N_("Image is too large"), N_("Export it at the scanner's resolution.")
    ),
    "too_few_pixels": Kind(
        422, N_("Image is too small"), N_("Send the full image, not a thumbnail.")
    ),
    "constant_image": Kind(422, N_("Image is blank"), N_("Every pixel has the same value.")),
    "multiple_frames": Kind(
        422,
        N_("File holds several images"),
        N_("Send one file for each image: no animation, no stack."),
    ),
    "unsupported_colour": Kind(
        422, N_("Colours cannot be read as grey"), N_("Export the scan as greyscale or plain RGB.")
    ),
    "transparency": Kind(
        422,
        N_("Image is partly transparent"),
        N_("What shows depends on a background. Flatten it first."),
    ),
    "no_pixel_data": Kind(
        422,
        N_("DICOM file without an image"),
        N_("Reports and structured files hold nothing to judge."),
    ),
    "missing_tag": Kind(
        422, N_("DICOM tag is missing"), N_("The pixels cannot be read without it.")
    ),
    "invalid_tag": Kind(
        422, N_("DICOM tag is invalid"), N_("Its value cannot be used for the pixels.")
    ),
    "unsupported_transfer_syntax": Kind(
        415,
        N_("DICOM compression not supported"),
        N_("Send it uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE."),
    ),
    # How it was sent.
    "payload_too_large": Kind(
        413, N_("File is too large"), N_("Send a smaller file; one will do.")
    ),
    "unsupported_media_type": Kind(
        415,
        N_("Content type not accepted"),
        N_(
            "Send multipart/form-data with the field file, or the "
            "file itself as image/png, image/jpeg, image/tiff, application/dicom or "
            "application/octet-stream."
        ),
    ),
    "content_type_mismatch": Kind(
        415, N_("Content is not what its type says"), N_("Name the true type, or leave it out.")
    ),
    "malformed_upload": Kind(
        400, N_("Upload cannot be parsed"), N_("The multipart body is broken.")
    ),
    "malformed_body": Kind(
        400, N_("Request cannot be parsed"), N_("Send what the API page or the form describes.")
    ),
    "invalid_review": Kind(
        422,
        N_("Review cannot be taken"),
        N_("Sign, or override with another outcome and a reason; say who you are."),
    ),
    "missing_file": Kind(
        422, N_("No file was sent"), N_("Put the image into the form field file.")
    ),
    "several_files": Kind(
        422, N_("More than one file was sent"), N_("Send one request for each image.")
    ),
    "upload_timeout": Kind(
        408, N_("Upload took too long"), N_("Send it again over a faster line.")
    ),
    "client_disconnected": Kind(
        499, N_("Client went away"), N_("Nobody was left to read the answer.")
    ),
    "invalid_archive": Kind(
        422,
        N_("Archive cannot be taken"),
        N_("Pack the images again as a plain zip file, or choose them one by one."),
    ),
    "encrypted_archive": Kind(
        422, N_("Archive is encrypted"), N_("Pack the images again without a password.")
    ),
    "batch_too_large": Kind(
        413, N_("Batch is too large"), N_("Send fewer images at a time, as several batches.")
    ),
    # What was asked for.
    "not_found": Kind(404, N_("Nothing here"), N_("No page or resource has this address.")),
    "prediction_not_found": Kind(
        404, N_("No such result"), N_("It was never made here, or it has been removed.")
    ),
    "image_gone": Kind(
        404,
        N_("Image no longer kept"),
        N_("It was removed when its time was over; what was said of it is still here."),
    ),
    "no_heat_map": Kind(
        404,
        N_("No heat map"),
        N_("Not every model draws one, and one that did not vote has nothing to show."),
    ),
    "model_changed": Kind(
        409,
        N_("Model has changed"),
        N_("The map of another version would explain another vote. Analyse the image again."),
    ),
    "batch_not_found": Kind(404, N_("No such batch"), N_("No batch has this number.")),
    "patient_not_found": Kind(
        404, N_("No such patient"), N_("No study that is kept has this patient.")
    ),
    "result_signed": Kind(
        409,
        N_("Result is signed"),
        N_("What somebody has signed or overridden is kept with their name and cannot be deleted."),
    ),
    "second_factor": Kind(
        401,
        N_("Wrong code"),
        N_("The code is wrong, too old, or was used already: wait for the next one."),
    ),
    "passkey": Kind(
        401,
        N_("Passkey not taken"),
        N_("Try it once more, from the start; otherwise use your password and a code."),
    ),
    "second_factor_off": Kind(
        409,
        N_("No second factors here"),
        N_("Whoever runs the service has to set a key for them first."),
    ),
    "result_held": Kind(
        409,
        N_("Kept by a legal hold"),
        N_("Nothing of it is removed until whoever placed the hold releases it."),
    ),
    "invalid_study": Kind(
        422, N_("Study facts cannot be taken"), N_("The fields named above need another value.")
    ),
    "invalid_ultrasound": Kind(
        422, N_("Ultrasound cannot be taken"), N_("The fields named above need another value.")
    ),
    "invalid_ct": Kind(
        422,
        N_("Series of CT cannot be taken"),
        N_("Send the axial slices of one series, as DICOM files or in one zip."),
    ),
    "invalid_region": Kind(
        422, N_("Region cannot be taken"), N_("Place it in a slice that is kept, inside of it.")
    ),
    "ct_not_found": Kind(
        404, N_("No CT is kept"), N_("It was never sent, or it waited for too long.")
    ),
    "no_such_reader": Kind(
        422,
        N_("Nobody who signs here"),
        N_("Choose somebody with the role of a clinician at this site."),
    ),
    "study_differs": Kind(
        409,
        N_("The image is kept with other study facts"),
        N_(
            "It was sent before, with other facts. Send it without them, or change them on its "
            "result."
        ),
    ),
    "changed_meanwhile": Kind(
        412,
        N_("Changed meanwhile"),
        N_("Nothing of yours was kept. Read what is there now, then decide again."),
    ),
    "conflict": Kind(409, N_("It is there already"), N_("Nothing was stored a second time.")),
    "not_acceptable": Kind(
        406,
        N_("Not to be had in this form"),
        N_("Ask for one of the types that the answer names, or for any."),
    ),
    "method_not_allowed": Kind(
        405, N_("Method not allowed"), N_("The Allow header names those that are.")
    ),
    "invalid_request": Kind(
        422, N_("Request is invalid"), N_("A parameter has a value that cannot be.")
    ),
    "invalid_facts": Kind(
        422, N_("Facts cannot be taken"), N_("See faults: each names a fact and what is allowed.")
    ),
    "invalid_points": Kind(
        422,
        N_("Points cannot be taken"),
        N_(
            "See faults: six points a vertebra, each x and y in pixels, those of the lower end "
            "plate below those of the upper one."
        ),
    ),
    "not_lateral": Kind(
        409,
        N_("Not a lateral image"),
        N_(
            "Points are kept of lateral images of the spine alone: not of one that was judged as a "
            "frontal one, nor of another part of the body."
        ),
    ),
    "idempotency_key_reused": Kind(
        422,
        N_("Key was used for another file"),
        N_("Use a new Idempotency-Key for each file, and the old one to send a file again."),
    ),
    "idempotency_key_invalid": Kind(
        400, N_("Key cannot be taken"), N_("A random UUID is a good Idempotency-Key.")
    ),
    "invalid_workitem": Kind(
        400,
        N_("Work item cannot be taken"),
        N_(
            "See detail: an attribute, a transaction UID, or the item's state is not what it needs."
        ),
    ),
    "workitem_conflict": Kind(
        409,
        N_("Work item is in another state"),
        N_("Retrieve it again: what was asked for is not possible in the state that it is in."),
    ),
    "no_subscriptions": Kind(
        403,
        N_("No subscriptions here"),
        N_("No events are reported. Retrieve work items again, or search for them by state."),
    ),
    "sign_in": Kind(
        401,
        N_("Sign-in needed"),
        N_("Sign in, or send a key that is good as Authorization: Bearer."),
    ),
    "credentials": Kind(
        401,
        N_("Name or password is wrong"),
        N_("The name or the password is wrong. Whoever manages accounts can make a new link."),
    ),
    "too_many_attempts": Kind(
        429,
        N_("Too many failed tries"),
        N_("Too many tries have failed from this address. Wait a little, then try again."),
    ),
    "provider_unavailable": Kind(
        503,
        N_("Identity provider does not answer"),
        N_("Whoever has signed in goes on working. Try again after Retry-After."),
    ),
    "local_accounts_off": Kind(
        409,
        N_("No account of our own here"),
        N_(
            "People get their roles by groups of the identity provider. An account for when it is "
            "away is made on the command line: people add --sealed."
        ),
    ),
    "sign_in_again": Kind(
        403,
        N_("Fresh sign-in needed"),
        N_(
            "A signature needs a sign-in of the last minutes: give your password with it, or sign "
            "in once more at your identity provider."
        ),
    ),
    "forbidden": Kind(
        403, N_("Not allowed"), N_("Whoever manages accounts can give you the role for it.")
    ),
    "invalid_account": Kind(
        422, N_("Account cannot be taken"), N_("The fields named above need another value.")
    ),
    "link_used": Kind(
        403,
        N_("Link is used up"),
        N_("The link was used already, is too old or not whole. Ask for a new one."),
    ),
    "last_administrator": Kind(
        409,
        N_("Last administrator"),
        N_("Nobody else could manage accounts then. Make somebody else an administrator first."),
    ),
    "cross_origin": Kind(
        403,
        N_("Sent from another site"),
        N_(
            "Files are only accepted from this site's own pages; "
            "programs send neither Origin nor Sec-Fetch-Site."
        ),
    ),
    "host_not_known": Kind(
        421,
        N_("Not known by this name"),
        N_("Whoever runs the service names it in OSTEOSERVE_PUBLIC_URL or OSTEOSERVE_HOSTS."),
    ),
    "head_too_large": Kind(
        431, N_("Headers are too large"), N_("Delete this site's cookies, or send fewer headers.")
    ),
    "head_timeout": Kind(
        408, N_("Request did not arrive"), N_("Send it again over a faster line.")
    ),
    "bad_request": Kind(400, N_("Request cannot be answered"), N_("See detail.")),
    "too_many_requests": Kind(
        429,
        N_("Too many requests"),
        N_("Nothing was judged or stored. Try again after Retry-After."),
    ),
    # What is wrong here.
    "model_unavailable": Kind(
        503, N_("Model does not answer"), N_("The result stands. Try again after Retry-After.")
    ),
    "runners_unavailable": Kind(
        503,
        N_("No model is available"),
        N_("Nothing was judged or stored. Try again after Retry-After."),
    ),
    "overloaded": Kind(
        503, N_("Too busy"), N_("Nothing was judged or stored. Try again after Retry-After.")
    ),
    "too_many_connections": Kind(
        503, N_("Too many connections"), N_("Nothing was read. Try again after Retry-After.")
    ),
    "too_many_uploads": Kind(
        503,
        N_("Too many uploads at once"),
        N_("Nothing was judged or stored. Try again after Retry-After."),
    ),
    "bulk_busy": Kind(
        503,
        N_("Too many batches"),
        N_("Nothing was taken. Send the batch again after Retry-After."),
    ),
    "storage_full": Kind(
        507,
        N_("No room to store results"),
        N_("Nothing was stored. Results can be read and deleted; whoever runs it must make room."),
    ),
    "upload_room": Kind(
        507,
        N_("No room for the upload"),
        N_("Nothing was taken. Send fewer images at a time; whoever runs it must make room."),
    ),
    "storage_unavailable": Kind(
        503,
        N_("Results cannot be stored or read"),
        N_("The database does not answer. Nothing was stored. Try again after Retry-After."),
    ),
    "not_ready": Kind(503, N_("Not ready"), N_("See checks for what is being waited for.")),
    "row_unreadable": Kind(
        500,
        N_("What is kept cannot be read"),
        N_("A newer version has written it, or it is damaged. It can still be deleted."),
    ),
    "models_unreadable": Kind(
        500,
        N_("Models cannot be shown"),
        N_("What lies beside the front is not what was trained. Whoever runs it must look."),
    ),
    "internal_error": Kind(
        500, N_("Something went wrong here"), N_("This is our mistake; it has been logged.")
    ),
}
