;;; codegaze.el --- Where a code model looks  -*- lexical-binding: t -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: languages, tools
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; `codegaze-mode' gives the lexemes that a code model attends to a background.
;;
;; Eglot has one server a buffer, and lsp-mode paints the tokens of one server in place of the buffer's own faces.  So this mode has
;; a connection of its own: it runs beside either, or without, and it only ever adds a background.
;; What it speaks is in the repository's docs/protocol.md.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'url-util)

(defgroup codegaze nil
  "Where a code model looks."
  :group 'tools)

(defcustom codegaze-command '("codegaze" "lsp" "--stdio")
  "The server's program and arguments."
  :type '(repeat string))

(defcustom codegaze-settings nil
  "Settings of the server, a property list as in docs/protocol.md.
For example (:model \"embedded\" :minLevel 2)."
  :type 'plist)

(defcustom codegaze-idle-delay 0.2
  "Seconds without a keystroke before an edit is sent."
  :type 'number)

(defcustom codegaze-eldoc t
  "Whether ElDoc says the numbers of the lexeme at point."
  :type 'boolean)

;; One hue that color-blind people see as well, over a dark and a light background.
(defface codegaze-level-1 '((((background dark)) :background "#101a2f") (t :background "#f5fdff"))
  "Lexemes that are attended to a little.")
(defface codegaze-level-2 '((((background dark)) :background "#0c1e43") (t :background "#ebfbff"))
  "Lexemes of the second level.")
(defface codegaze-level-3 '((((background dark)) :background "#082258") (t :background "#e0f8ff"))
  "Lexemes of the third level.")
(defface codegaze-level-4 '((((background dark)) :background "#04266c") (t :background "#d6f6ff" :underline "#0072b2"))
  "Lexemes of the fourth level.")
(defface codegaze-level-5 '((((background dark)) :background "#002a80") (t :background "#ccf4ff" :underline "#0072b2"))
  "Lexemes that are attended to most.")

(defvar codegaze--faces
  [codegaze-level-1 codegaze-level-2 codegaze-level-3 codegaze-level-4 codegaze-level-5])

(defvar codegaze--connection nil "The connection to the server, one for all buffers.")
(defvar codegaze--model nil "What the server said last about its model.")

(defvar-local codegaze--uri nil)
(defvar-local codegaze--version 0)
(defvar-local codegaze--sent-tick nil)
(defvar-local codegaze--timer nil)
(defvar codegaze-mode)

;;;; Connection

(defun codegaze--buffer (uri)
  "The buffer of URI, if the mode is on there."
  (cl-find-if (lambda (buffer) (and (buffer-local-value 'codegaze-mode buffer)
                                    (equal (buffer-local-value 'codegaze--uri buffer) uri)))
              (buffer-list)))

(defun codegaze--on-notification (_connection method params)
  "Take the notification METHOD with PARAMS."
  (pcase method
    ('codegaze/status
     (setq codegaze--model params)
     (force-mode-line-update t)
     (when (equal (plist-get params :state) "error")
       (message "codegaze: %s" (plist-get params :message))))
    ('codegaze/heatmapChanged
     (when-let ((buffer (codegaze--buffer (plist-get params :uri))))
       (with-current-buffer buffer (codegaze--ask-for-heat))))
    ('window/showMessage (message "codegaze: %s" (plist-get params :message)))))

(defun codegaze--on-request (_connection method params)
  "Answer the server's request METHOD with PARAMS."
  (pcase method
    ('workspace/configuration
     (vconcat (mapcar (lambda (_) (codegaze--settings)) (plist-get params :items))))
    ('window/showMessageRequest
     (let* ((actions (append (plist-get params :actions) nil))
            (titles (mapcar (lambda (action) (plist-get action :title)) actions))
            (title (completing-read (concat (plist-get params :message) " ") titles nil t)))
       (cl-find title actions :key (lambda (action) (plist-get action :title)) :test #'equal)))
    (_ nil)))

(defun codegaze--settings ()
  "The settings as an object."
  (or codegaze-settings (make-hash-table :size 0)))

(defun codegaze--connect ()
  "The connection to the server, made if there is none."
  (unless (and codegaze--connection (jsonrpc-running-p codegaze--connection))
    (unless (executable-find (car codegaze-command))
      (user-error "codegaze: `%s' is not in `exec-path'; install it, or set `codegaze-command'" (car codegaze-command)))
    (setq codegaze--model nil
          codegaze--connection
          (make-instance 'jsonrpc-process-connection
                         :name "codegaze"
                         :notification-dispatcher #'codegaze--on-notification
                         :request-dispatcher #'codegaze--on-request
                         :on-shutdown #'codegaze--on-shutdown
                         :process (make-process :name "codegaze" :command codegaze-command :connection-type 'pipe
                                                :coding 'utf-8-emacs-unix :noquery t
                                                :stderr (get-buffer-create " *codegaze stderr*"))))
    (jsonrpc-request codegaze--connection :initialize
                     `(:processId ,(emacs-pid) :rootUri nil
                       :initializationOptions ,(codegaze--settings)
                       :capabilities (:general (:positionEncodings ["utf-32"])
                                      :textDocument (:hover (:contentFormat ["plaintext"]))
                                      :experimental (:codegaze (:status t :heatmapChanged t)))))
    (jsonrpc-notify codegaze--connection :initialized (make-hash-table :size 0)))
  codegaze--connection)

(defun codegaze--on-shutdown (_connection)
  "The server is gone: so is its heat."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'codegaze-mode buffer)
      (with-current-buffer buffer (codegaze-mode -1)))))

(defun codegaze-shutdown ()
  "End the server."
  (interactive)
  (when (and codegaze--connection (jsonrpc-running-p codegaze--connection))
    (ignore-errors (jsonrpc-request codegaze--connection :shutdown nil :timeout 2))
    (jsonrpc-notify codegaze--connection :exit nil)
    (jsonrpc-shutdown codegaze--connection t))
  (setq codegaze--connection nil))

;;;; Documents

(defun codegaze--text ()
  "All of the buffer, narrowed or not."
  (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max))))

(defun codegaze--open ()
  "Tell the server of this buffer."
  (setq codegaze--uri (concat (if buffer-file-name "file://" "untitled:")
                              (url-hexify-string (or (and buffer-file-name (expand-file-name buffer-file-name)) (buffer-name))
                                                 url-path-allowed-chars))
        codegaze--version 0
        codegaze--sent-tick (buffer-chars-modified-tick))
  (jsonrpc-notify (codegaze--connect) :textDocument/didOpen
                  `(:textDocument (:uri ,codegaze--uri :version 0 :text ,(codegaze--text)
                                   :languageId ,(string-remove-suffix "-mode" (symbol-name major-mode))))))

(defun codegaze--sync ()
  "Send the text if it has changed."
  (unless (eql codegaze--sent-tick (buffer-chars-modified-tick))
    (setq codegaze--sent-tick (buffer-chars-modified-tick)
          codegaze--version (1+ codegaze--version))
    (jsonrpc-notify codegaze--connection :textDocument/didChange
                    `(:textDocument (:uri ,codegaze--uri :version ,codegaze--version)
                      :contentChanges [(:text ,(codegaze--text))]))))

(defun codegaze--after-change (&rest _)
  "Send the text when no key has been pressed for a while."
  (when codegaze--timer (cancel-timer codegaze--timer))
  (setq codegaze--timer
        (run-with-idle-timer codegaze-idle-delay nil
                             (lambda (buffer)
                               (when (buffer-live-p buffer)
                                 (with-current-buffer buffer
                                   (when codegaze-mode (codegaze--sync) (codegaze--ask-for-heat)))))
                             (current-buffer))))

(defun codegaze--close ()
  "Tell the server that this buffer is closed."
  (when codegaze--timer (cancel-timer codegaze--timer))
  (when (and codegaze--uri codegaze--connection (jsonrpc-running-p codegaze--connection))
    (jsonrpc-notify codegaze--connection :textDocument/didClose `(:textDocument (:uri ,codegaze--uri))))
  (setq codegaze--uri nil))

(defun codegaze--position ()
  "Point as the server counts: lines from 0, characters of UTF-32."
  (save-restriction
    (widen)
    (list :line (1- (line-number-at-pos)) :character (- (point) (line-beginning-position)))))

;;;; Heat

(defun codegaze--ask-for-heat ()
  "Ask for the heat of this buffer, and show it if the text is still the same."
  (let ((buffer (current-buffer)) (tick codegaze--sent-tick))
    (jsonrpc-async-request
     codegaze--connection :codegaze/heatmap `(:textDocument (:uri ,codegaze--uri))
     :timeout 60 :error-fn #'ignore :timeout-fn #'ignore
     :success-fn (lambda (heat)
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer
                       (when (and heat codegaze-mode (eql tick (buffer-chars-modified-tick))
                                  (eql (plist-get heat :version) codegaze--version))
                         (codegaze--show (plist-get heat :data)))))))))

(defun codegaze--clear ()
  "Remove the heat."
  (remove-overlays nil nil 'codegaze t))

(defun codegaze--show (data)
  "Show the heat DATA: five integers a lexeme."
  (save-excursion
    (save-restriction
      (widen)
      (codegaze--clear)
      (goto-char (point-min))
      (let ((start 0))
        (cl-loop for i from 0 below (length data) by 5 do
                 (unless (zerop (aref data i))
                   (forward-line (aref data i))
                   (setq start 0))
                 (setq start (+ start (aref data (1+ i))))
                 (let* ((from (+ (point) start))
                        (overlay (make-overlay from (+ from (aref data (+ i 2))) nil t)))
                   (overlay-put overlay 'codegaze t)
                   (overlay-put overlay 'evaporate t)
                   ;; Below the region and what others mark.
                   (overlay-put overlay 'priority -50)
                   (overlay-put overlay 'face (aref codegaze--faces (1- (aref data (+ i 3)))))))))))

;;;; Commands

(defun codegaze--hover ()
  "The parameters of a hover at point."
  `(:textDocument (:uri ,codegaze--uri) :position ,(codegaze--position)))

(defun codegaze-eldoc-function (callback &rest _)
  "Give CALLBACK the numbers of the lexeme at point, in a line."
  (when (and codegaze-mode codegaze--connection)
    (codegaze--sync)
    (jsonrpc-async-request
     codegaze--connection :textDocument/hover (codegaze--hover)
     :deferred :codegaze/hover :error-fn #'ignore :timeout-fn #'ignore
     :success-fn (lambda (hover)
                   (when hover
                     (funcall callback (car (split-string (plist-get (plist-get hover :contents) :value) "\n"))))))
    t))

(defun codegaze-describe ()
  "Show all numbers of the lexeme at point."
  (interactive)
  (unless codegaze-mode (user-error "codegaze-mode is off in this buffer"))
  (codegaze--sync)
  (let ((hover (jsonrpc-request codegaze--connection :codegaze/explain (codegaze--hover))))
    (unless hover (user-error "codegaze: there is nothing at point, or the model is loading"))
    (with-help-window "*codegaze*"
      (princ (plist-get (plist-get hover :contents) :value)))))

(defun codegaze--execute (command argument)
  "Run the server's COMMAND with ARGUMENT."
  (jsonrpc-request (codegaze--connect) :workspace/executeCommand
                   `(:command ,(concat "codegaze.server." command) :arguments [,argument]) :timeout 600))

(defun codegaze--execute-and-refresh (command argument)
  "Run the server's COMMAND with ARGUMENT, and ask for the heat of all buffers.
Until Emacs 29 a notification that comes together with an answer
waits for the next one."
  (prog1 (codegaze--execute command argument)
    (dolist (buffer (buffer-list))
      (when (buffer-local-value 'codegaze-mode buffer)
        (with-current-buffer buffer (codegaze--ask-for-heat))))))

(defconst codegaze-aggregates '("sum" "mean" "max" "first" "corrected")
  "How the scores of a word's subwords become one.")

(defun codegaze-set-view (method layers heads &optional aggregate)
  "Look with METHOD at LAYERS and HEADS, in all buffers.
AGGREGATE is how the scores of a word's subwords become one.
An empty answer leaves what it is.  Layers and heads are as on the
command line: last, all, 0-5, 7, mean."
  (interactive
   (let ((model (jsonrpc-request (codegaze--connect) :codegaze/model (make-hash-table :size 0))))
     (list (completing-read "Method: " (append (plist-get model :methods) nil) nil t)
           (read-string (format "Layers (last, all, 0 to %d): " (1- (plist-get model :layers))))
           (read-string (format "Heads (mean, max, 0 to %d): " (1- (plist-get model :heads))))
           (completing-read "Aggregate of subwords: " codegaze-aggregates nil t))))
  (let ((view (codegaze--execute-and-refresh
               "setView" (append (unless (string-empty-p method) (list :method method))
                                 (unless (string-empty-p layers) (list :layers layers))
                                 (unless (string-empty-p heads) (list :heads heads))
                                 (unless (member aggregate '(nil "")) (list :aggregate aggregate))))))
    (message "codegaze: method %s, layers %s, heads %s, aggregate %s"
             (plist-get view :method) (plist-get view :layers) (plist-get view :heads) (plist-get view :aggregate))))

(defun codegaze-set-model (model)
  "Use MODEL: auto, embedded, a directory, or a name on the Hugging Face hub."
  (interactive (list (completing-read "Model: " '("auto" "embedded" "microsoft/codebert-base"))))
  (codegaze--execute-and-refresh "setModel" (list :model model)))

(defun codegaze-export (path)
  "Write the heatmap of this buffer to PATH.
Its ending says the format: svg, png, html or json."
  (interactive "FWrite the heatmap to: ")
  (unless codegaze-mode (user-error "codegaze-mode is off in this buffer"))
  (codegaze--sync)
  (codegaze--execute "heatmap" (list :uri codegaze--uri :format (or (file-name-extension path) "svg")
                                     :path (expand-file-name path)))
  (message "codegaze: wrote %s" path))

;;;; Mode

(defun codegaze--lighter ()
  "The model, or what is awaited, for the mode line."
  (pcase (plist-get codegaze--model :state)
    ("ready" (format " %s" (plist-get codegaze--model :model)))
    ('nil " codegaze")
    (state (format " codegaze:%s" state))))

;;;###autoload
(define-minor-mode codegaze-mode
  "Give the lexemes that a code model attends to a background."
  :lighter (:eval (codegaze--lighter))
  (cond
   (codegaze-mode
    (condition-case error
        (codegaze--open)
      (error (setq codegaze-mode nil) (signal (car error) (cdr error))))
    (add-hook 'after-change-functions #'codegaze--after-change nil t)
    (add-hook 'kill-buffer-hook #'codegaze--close nil t)
    (when codegaze-eldoc (add-hook 'eldoc-documentation-functions #'codegaze-eldoc-function 90 t))
    (codegaze--ask-for-heat))
   (t
    (remove-hook 'after-change-functions #'codegaze--after-change t)
    (remove-hook 'kill-buffer-hook #'codegaze--close t)
    (remove-hook 'eldoc-documentation-functions #'codegaze-eldoc-function t)
    (codegaze--close)
    (codegaze--clear))))

(provide 'codegaze)
;;; codegaze.el ends here
