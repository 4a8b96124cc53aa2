;;; emacs.el --- codegaze in Emacs: see emacs.py  -*- lexical-binding: t -*-

(require 'cl-lib)
(require 'json)
(require 'seq)
(package-initialize)

(defvar plan (let ((json-object-type 'plist) (json-array-type 'list)) (json-read-file (nth 1 command-line-args-left))))
(defvar init (car command-line-args-left))
(setq command-line-args-left nil)
(defvar checks 0)
(defvar failures 0)

(defun check (name ok &optional detail)
  (cl-incf checks)
  (unless ok (cl-incf failures))
  (send-string-to-terminal (format "%s - %s%s\n" (if ok "ok" "NOT OK") name (if ok "" (format ": %S" detail)))))

(defun eventually (ask &optional seconds)
  "The first answer of ASK that is not nil, or its last."
  (let ((end (+ (float-time) (or seconds 15))) answer)
    (while (and (not (setq answer (funcall ask))) (< (float-time) end))
      (accept-process-output nil 0.05))
    answer))

(setq lsp-auto-guess-root t
      lsp-enable-file-watchers nil
      lsp-log-io nil
      lsp-restart 'ignore
      lsp-enable-snippet nil
      enable-local-variables nil
      make-backup-files nil
      create-lockfiles nil)
(load init nil t)

;; What lies under faces of heat: (line start length level), counted as the server does.
(defun heat ()
  (let (found)
    (save-excursion
      (goto-char (point-min))
      (while (not (eobp))
        (let* ((face (get-text-property (point) 'face))
               (next (or (next-single-property-change (point) 'face) (point-max)))
               (level (and face (symbolp face) (string-match "\\`codegaze-attention\\([1-5]\\)\\'" (symbol-name face))
                           (string-to-number (match-string 1 (symbol-name face))))))
          (when level
            (push (list (1- (line-number-at-pos)) (- (point) (line-beginning-position)) (- next (point)) level) found))
          (goto-char next))))
    (nreverse found)))

;; Neighbors of one level have one face, and are seen as one.
(defun joined (tokens)
  (let (found)
    (dolist (token tokens)
      (let ((last (car found)))
        (if (and last (= (nth 0 last) (nth 0 token)) (= (+ (nth 1 last) (nth 2 last)) (nth 1 token)) (= (nth 3 last) (nth 3 token)))
            (setf (nth 2 last) (+ (nth 2 last) (nth 2 token)))
          (push (copy-sequence token) found))))
    (nreverse found)))

(defun lsp-mode-heat ()
  "Asks for tokens as lsp-mode does when Emacs is idle, and paints them."
  (lsp--semantic-tokens-request nil nil)
  (eventually #'ignore 0.2)
  (with-silent-modifications (remove-text-properties (point-min) (point-max) '(face nil)))
  (funcall font-lock-fontify-region-function (point-min) (point-max))
  (heat))

(defun shows (name tokens)
  (let* ((expected (joined tokens)) got)
    (eventually (lambda () (equal (setq got (lsp-mode-heat)) expected)))
    (check name (equal got expected) (list 'got (seq-take got 4) 'expected (seq-take expected 4)))))

(defun try-lsp-mode ()
  (dolist (file (plist-get plan :files))
    (let ((name (file-name-nondirectory (plist-get file :path))) (tokens (plist-get file :tokens)))
      (with-current-buffer (find-file-noselect (plist-get file :path))
        (setq-local lsp-semantic-tokens-allow-ranged-requests nil)
        (font-lock-set-defaults) ; In batch nobody does.
        (lsp)
        (check (concat name ": the server attaches")
               (eventually (lambda () (and (lsp-workspaces) (eq 'initialized (lsp--workspace-status (car (lsp-workspaces))))))))
        (shows (concat name ": heat where the command line says") tokens)
        (goto-char (point-min))
        (end-of-line)
        (let ((start (point)))
          (insert (plist-get plan :typed))
          (shows (concat name ": heat after typing") (plist-get file :edited))
          (delete-region start (+ start (length (plist-get plan :typed)))))
        (shows (concat name ": heat after the text is as it was") tokens)
        (goto-char (point-min))
        (forward-line (nth 0 (car tokens)))
        (forward-char (nth 1 (car tokens)))
        (let ((hover (lsp-request "textDocument/hover" (lsp--text-document-position-params))))
          (check (concat name ": hover") (string-match-p "average" (format "%S" hover)) hover)))))
  ;; A definition in this file differs from the rest.
  (let ((file (seq-find (lambda (file) (string-suffix-p "word_count.rb" (plist-get file :path))) (plist-get plan :files))))
    (with-current-buffer (get-file-buffer (plist-get file :path))
      (let ((lenses (lsp-request "textDocument/codeLens" `(:textDocument ,(lsp--text-document-identifier)))))
        (check "code lenses" (> (length lenses) 0)))
      (lsp-workspace-command-execute "codegaze.server.setView" (vector '(:method "rollout")))
      (shows "heat follows setView" (plist-get file :rollout))
      (check "one server for all" (= 1 (length (lsp--session-workspaces (lsp-session)))) (lsp--session-workspaces (lsp-session))))))

(defun try-eglot ()
  (dolist (file (seq-filter (lambda (file) (string-match-p "\\.\\(py\\|c\\|java\\)\\'" (plist-get file :path))) (plist-get plan :files)))
    (let ((name (file-name-nondirectory (plist-get file :path))) (token (car (plist-get file :tokens))))
      (with-current-buffer (switch-to-buffer (find-file-noselect (plist-get file :path))) ; ElDoc speaks of shown buffers alone.
        (apply #'eglot (eglot--guess-contact))
        (check (concat name ": the server attaches") (eventually (lambda () (and (eglot-current-server) (eglot-managed-p)))))
        (goto-char (point-min))
        (forward-line (nth 0 token))
        (forward-char (nth 1 token))
        (let ((hover (lambda ()
                       (let (said)
                         (eglot-hover-eldoc-function (lambda (info &rest _) (setq said (substring-no-properties (or info "")))))
                         (eventually (lambda () said) 3)))))
          (check (concat name ": hover by ElDoc") (eventually (lambda () (string-match-p "average" (or (funcall hover) "")))))
          (save-excursion
            (goto-char (point-min))
            (end-of-line)
            (insert (plist-get plan :typed))
            (eglot--signal-textDocument/didChange))
          (check (concat name ": hover after typing") (eventually (lambda () (string-match-p "average" (or (funcall hover) ""))))))
        (let ((view (eglot-execute-command (eglot-current-server) 'codegaze.server.setView [(:method "rollout")])))
          (check (concat name ": a command") (or (null view) (equal (plist-get view :method) "rollout")) view))
        (let ((model (jsonrpc-request (eglot-current-server) :codegaze/model (make-hash-table))))
          (check (concat name ": the command had its effect") (equal (plist-get (plist-get model :view) :method) "rollout") model))
        (set-buffer-modified-p nil)
        (eglot-shutdown (eglot-current-server))))))

(send-string-to-terminal (format "%s in Emacs %s\n" (plist-get plan :client) emacs-version))
(if (equal (plist-get plan :client) "eglot") (try-eglot) (try-lsp-mode))
(send-string-to-terminal (format "%d checks, %d failed\n" checks failures))
(kill-emacs (if (= failures 0) 0 1))
